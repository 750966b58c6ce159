"""The coordinator: takes orders in, hands manifests out, applies what the vans say once, and shows the fleet."""
