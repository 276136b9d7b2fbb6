"""Pages and what is made like them: HTML, saved pages, books, notebooks, Markdown, XML."""
