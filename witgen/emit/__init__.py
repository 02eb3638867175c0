"""Emitters: from the resolved model to source code, one package a language."""
