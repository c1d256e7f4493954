"""Sign-offs: who vouches for which words and facts, whether that still holds, and who is still to be asked.

A sign-off is one file under `reviews/`. It names a document or a section, and holds the digest of its bytes, of every fact that it cites and of all
else that stands behind its words, the person, their role, what they say, the time, and the policy of factbook.yaml under which they said it.

    keys       public and private keys          envelope   the written form (DSSE, in-toto)
    excerpt    what is vouched for              watched    what asks people to look again
    signoff    one sign-off, read and written   policy     who may sign, and which policies follow each other
    judging    whether a sign-off stands        reviews    all of a book, and what is still wanted
"""

from __future__ import annotations

from typing import Final

FOLDER: Final = "reviews"
