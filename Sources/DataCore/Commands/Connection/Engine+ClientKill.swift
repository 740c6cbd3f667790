import ClusterModel

// CLIENT KILL: closes connections by address or by filters, all of which must hold.
extension Engine {
    private struct ClientFilter {
        var id: UInt64?
        var type: ClientType?
        var address: [UInt8]?
        var local: [UInt8]?
        var skipsCaller = true
    }

    /// `CLIENT KILL address`, or `CLIENT KILL filter value [filter value ...]`.
    mutating func clientKill(_ call: Call) -> Attempt {
        var filter = ClientFilter()
        if call.count == 3 {
            filter.address = call[2].array
            filter.skipsCaller = false
            if kill(filter, caller: call.connection) == 0 { return reject(call, "ERR No such client") }
            call.reply.ok()
            return .done
        }
        var index = 2
        while index < call.count {
            guard index + 1 < call.count else { return reject(call, "ERR syntax error") }
            if let refusal = read(call[index], call[index + 1], into: &filter) { return reject(call, refusal) }
            index += 2
        }
        call.reply.integer(kill(filter, caller: call.connection))
        return .done
    }

    private func read(_ name: ByteView, _ value: ByteView, into filter: inout ClientFilter) -> String? {
        if name.equalsIgnoringCase("id") {
            guard let number = WholeNumber.parse(value), number > 0 else {
                return "ERR client-id should be greater than 0"
            }
            filter.id = UInt64(number)
        } else if name.equalsIgnoringCase("type") {
            guard let type = ClientType(value) else { return "ERR Unknown client type '\(value.text)'" }
            filter.type = type
        } else if name.equalsIgnoringCase("addr") {
            filter.address = value.array
        } else if name.equalsIgnoringCase("laddr") {
            filter.local = value.array
        } else if name.equalsIgnoringCase("user") {
            guard value == ByteView("default") else { return "ERR No such user '\(value.text)'" }
        } else if name.equalsIgnoringCase("skipme") {
            guard value.equalsIgnoringCase("yes") || value.equalsIgnoringCase("no") else { return "ERR syntax error" }
            filter.skipsCaller = value.equalsIgnoringCase("yes")
        } else {
            return "ERR syntax error"
        }
        return nil
    }

    /// Closes what the filter lets through; the caller itself behind its reply. Returns how many.
    private mutating func kill(_ filter: ClientFilter, caller: Int) -> Int {
        var killed = 0
        for place in connections.indices where isClient(place) && !connections[place].isClosing {
            if place == caller, filter.skipsCaller { continue }
            if let id = filter.id, connections[place].client.id != id { continue }
            if let type = filter.type, type != .normal { continue }
            if let address = filter.address, Array(connections[place].client.address.utf8) != address { continue }
            if let local = filter.local, Array(connections[place].client.local.utf8) != local { continue }
            connections[place].isClosing = true
            if place != caller { effects.emit(.close(id(place))) }
            killed += 1
        }
        return killed
    }
}
