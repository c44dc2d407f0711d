"""Parse text: files into nodes with places, digits into ids, and nodes into the models of a schema."""
