"""What changed between two versions of a contract, whom it breaks, and which version number it asks for.

`run.run` compares the contracts of a project, or those that paths name, with an older state of them: a commit, a
folder, a file. Everything that can differ is a row of the table in `rules`.
"""
