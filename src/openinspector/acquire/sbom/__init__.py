"""Software bills of materials: one reader a kind of document, and what is made of them."""
