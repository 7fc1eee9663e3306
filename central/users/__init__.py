"""Who may use central: users and their roles, sign-in, sessions, machine tokens, operators."""
