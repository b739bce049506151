"""Pages of invigilators: rooms, one sitting, and the acts on one or on everybody."""
