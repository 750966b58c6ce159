"""What van and cloud agree on: names, topics, messages, codec, geometry. Nothing here knows either side."""
