"""The loop at the van's heart: one queue of inputs, one step at a time, saved before anyone is told."""

from agent.runtime.loop import Answer, Runtime

__all__ = ["Answer", "Runtime"]
