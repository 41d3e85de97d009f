"""What the four services share: values, wire schemas, clients, and the kit their edges run on."""
