"""What backends share whose model stands behind a server: connections, answers, faults, tries."""
