import ClusterModel

// HELLO and AUTH. There is one user, `default`.
extension Engine {
    /// `AUTH [user] password`
    mutating func auth(_ call: Call) -> Attempt {
        if call.count > 3 { return reject(call, "ERR syntax error") }
        if call.count == 2, settings.password == nil {
            return reject(
                call,
                "ERR AUTH <password> called without any password configured for the default user. "
                    + "Are you sure your configuration is correct?")
        }
        let user = call.count == 3 ? call[1] : ByteView("default")
        guard admits(user, call[call.count - 1]) else { return reject(call, Self.wrongPassword) }
        connections[call.connection].isAuthenticated = true
        call.reply.ok()
        return .done
    }

    /// What a HELLO asks for, all of which it may have.
    struct Greeting {
        var version: Int64?
        var name: ByteView?
    }

    /// Why a HELLO is refused: Redis's own words.
    struct Ungreeted: Error { var text: String }

    /// `HELLO [version [AUTH user password] [SETNAME name]]`
    mutating func hello(_ call: Call) -> Attempt {
        let place = call.connection
        let greeting: Greeting
        do { greeting = try self.greeting(call) } catch { return reject(call, error.text) }
        connections[place].isAuthenticated = true
        if let name = greeting.name { connections[place].client.name = name.array }
        if let version = greeting.version { useProtocol(version, place) }
        greet(call)
        return .done
    }

    /// Reads a HELLO, and changes nothing.
    func greeting(_ call: Call) throws(Ungreeted) -> Greeting {
        var greeting = Greeting()
        if call.count > 1 {
            guard let number = WholeNumber.parse(call[1]) else {
                throw Ungreeted(text: "ERR Protocol version is not an integer or out of range")
            }
            guard number == 2 || number == 3 else { throw Ungreeted(text: "NOPROTO unsupported protocol version") }
            greeting.version = number
        }
        var isAuthenticated = connections[call.connection].isAuthenticated
        var index = 2
        while index < call.count {
            let left = call.count - 1 - index
            if call[index].equalsIgnoringCase("auth"), left >= 2 {
                guard admits(call[index + 1], call[index + 2]) else { throw Ungreeted(text: Self.wrongPassword) }
                isAuthenticated = true
                index += 3
            } else if call[index].equalsIgnoringCase("setname"), left >= 1 {
                guard Self.isPrintable(call[index + 1]) else { throw Ungreeted(text: Self.badClientName) }
                greeting.name = call[index + 1]
                index += 2
            } else {
                throw Ungreeted(text: "ERR Syntax error in HELLO option '\(call[index].text)'")
            }
        }
        guard isAuthenticated else {
            throw Ungreeted(
                text: "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> "
                    + "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
                    + "version at the same time")
        }
        return greeting
    }

    private func greet(_ call: Call) {
        call.reply.map(7)
        call.reply.bulk("server")
        call.reply.bulk("redis")
        call.reply.bulk("version")
        call.reply.bulk(OstrakaVersion.redis)
        call.reply.bulk("proto")
        call.reply.integer(call.reply.resp3 ? 3 : 2)
        call.reply.bulk("id")
        call.reply.integer(Int64(truncatingIfNeeded: connections[call.connection].client.id))
        call.reply.bulk("mode")
        call.reply.bulk(isClusterPort(call.connection) ? "cluster" : "standalone")
        call.reply.bulk("role")
        call.reply.bulk("master")
        call.reply.bulk("modules")
        call.reply.array(0)
    }

    /// Whether user and password are right. Every byte of what was given is looked at, whatever the outcome, so that the
    /// time taken tells nothing about the password.
    private func admits(_ user: ByteView, _ password: ByteView) -> Bool {
        guard user == ByteView("default") else { return false }
        guard let expected = settings.password else { return true }
        var difference = UInt64(truncatingIfNeeded: expected.count ^ password.count)
        for index in 0..<password.count {
            let other = expected.isEmpty ? 0 : expected[index % expected.count]
            difference |= UInt64(password[index] ^ other)
        }
        return difference == 0
    }

    private static let wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."
    static let badClientName = "ERR Client names cannot contain spaces, newlines or special characters."

    /// Whether all bytes are printable ASCII without spaces, as names of clients must be.
    static func isPrintable(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index] < UInt8(ascii: "!") || text[index] > UInt8(ascii: "~") {
            return false
        }
        return true
    }
}
