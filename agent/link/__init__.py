"""The pure half of the network: what goes into which packet, what a packet means, how long to wait."""
