"""Files of orders to stops with a place and a day, or to problems in a dispatcher's words. Pure."""
