"""Login: who somebody is by the identity provider's word, what role they have, and for how long."""
