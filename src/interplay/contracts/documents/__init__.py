"""Documents made readable in processes of their own: pages of the web, and stored documents."""
