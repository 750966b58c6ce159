"""The touchscreen's server side: the view of the run, the taps that come back, and the HTTP that carries both."""
