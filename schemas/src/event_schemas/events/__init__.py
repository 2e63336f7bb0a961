"""One pydantic model for each type of event; the JSON Schemas of the bus are generated from them."""
