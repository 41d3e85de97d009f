"""Why a figure moved: its change split by centre and component."""
