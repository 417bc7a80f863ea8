"""The network: an observation goes in, an action comes out."""
