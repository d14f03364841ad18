"""Which headers carry a credential or a signature; the one place that decides.

They are never copied to outputs and are removed from dead letters. A name is judged by its words
(split at `-`, `_` and `.`, upper and lower case alike):

- `authorization`, `authentication`, `auth`, `authn`, `authz`, `oauth`, `jwt`, `bearer`, `cookie`,
  `hmac`, `signature`, `sig`, `credential`, `pwd`, `ssh`, `session`, `cert`, `certificate`, `sasl`
  anywhere, digits behind them included (`proxy-authorization`, `x-auth-request-email`,
  `x-hub-signature-256`, `x-session-id`);
- a last word ending in `token`, `secret`, `password`, `passwd` or `passphrase` (`x-csrf-token`,
  `x-accesstoken`), or `authtoken` and the like anywhere;
- `key` behind `api`, `access`, `secret`, `private`, `signing`, `auth` or `subscription`
  (`x-api-key`, `apikey`), with whatever follows, or nothing but `key` or `x-key`.

`x-author`, `x-idempotency-key`, `x-token-count` and `x-certainty` are none.
"""

import re
from typing import Final

_CREDENTIAL: Final = re.compile(
    r"(?:^|[-_.])"
    r"(?:"
    r"(?:auth|authn|authz|authorization|authentication|oauth|jwt|bearer|(?:set-?)?cookie"
    r"|hmac|signature|sig|credentials?|pwd|ssh|session|cert|certificate|sasl)[0-9]*(?=$|[-_.]|sha)"
    r"|[a-z0-9]*(?:token|secret|password|passwd|passphrase)$"
    r"|[a-z0-9]*auth(?:token|key)(?=$|[-_.])"
    r"|(?:api|access|secret|private|signing|auth|subscription)[-_.]?keys?(?=$|[-_.])"
    r")"
    r"|^(?:x[-_.])?key$"
)


def is_credential(name: str) -> bool:
    """Tell whether the header `name`, in any case, carries a credential or a signature."""
    return _CREDENTIAL.search(name.lower()) is not None
