"""Pages, charts and sheets of images, drawn from what `evaluation` computed; no score is computed here.

`page` writes one HTML file that loads nothing from the network; `plots` draws the charts for papers; `sheet`
and `strips` put images side by side; `terminal` shows them in a terminal. Which pairs are shown follows the
fixed rule in `choice`. Names from files are hostile until they are escaped.
"""
