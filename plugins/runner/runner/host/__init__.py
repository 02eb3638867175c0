"""What the Runner gives to components: its own interfaces (`runner:host`), and sockets that outlive a component."""
