"""The road network: map packs, travel times, routes, closures, tiles. OSRM is behind it; nobody else sees that."""
