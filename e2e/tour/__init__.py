"""`make tour`: one case from sign-up to signed report, over real HTTP, in a real browser, as everybody who takes part.

    .venv/bin/python -m e2e.tour

Leaves reports, pictures and figures in build/tour/ (docs/tour.md says what to look at); ends with an error when
any step, accessibility check or security policy fails.
"""
