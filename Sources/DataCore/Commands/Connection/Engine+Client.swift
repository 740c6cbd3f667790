import ClusterModel

// CLIENT: what is known and set of connections. Listing and closing them have files of their own.
extension Engine {
    mutating func runClient(_ call: Call, _ id: CommandID) -> Attempt {
        let place = call.connection
        switch id {
        case .clientId: call.reply.integer(Int64(truncatingIfNeeded: connections[place].client.id))
        case .clientGetname:
            let name = connections[place].client.name
            if name.isEmpty { call.reply.null() } else { call.reply.bulk(name) }
        case .clientSetname:
            guard Self.isPrintable(call[2]) else { return reject(call, Self.badClientName) }
            connections[place].client.name = call[2].array
            call.reply.ok()
        case .clientSetinfo: return setClientInfo(call)
        case .clientInfo: call.reply.verbatim(clientLine(place))
        case .clientList: return clientList(call)
        case .clientKill: return clientKill(call)
        case .clientReply: return clientReply(call)
        case .clientPause: return pauseClients(call)
        case .clientUnpause:
            // The turn's end lets the waiting ones run: some of them may be about to be looked at right now.
            if clientPause.until > 0 { clientPause.until = 1 }
            call.reply.ok()
        case .clientUnblock: return clientUnblock(call)
        case .clientNoEvict:
            guard let isOn = onOrOff(call[2]) else { return reject(call, "ERR syntax error") }
            connections[place].client.isNoEvict = isOn
            call.reply.ok()
        default:
            guard let isOn = onOrOff(call[2]) else { return reject(call, "ERR syntax error") }
            connections[place].client.isNoTouch = isOn
            call.reply.ok()
        }
        return .done
    }

    private func onOrOff(_ word: ByteView) -> Bool? {
        word.equalsIgnoringCase("on") ? true : word.equalsIgnoringCase("off") ? false : nil
    }

    /// `CLIENT SETINFO LIB-NAME|LIB-VER value`
    private mutating func setClientInfo(_ call: Call) -> Attempt {
        let isName = call[2].equalsIgnoringCase("lib-name")
        guard isName || call[2].equalsIgnoringCase("lib-ver") else {
            return reject(call, "ERR Unrecognized option '\(call[2][0..<128].text)'")
        }
        guard Self.isPrintable(call[3]) else {
            return reject(
                call, "ERR \(isName ? "lib-name" : "lib-ver") cannot contain spaces, newlines or special characters.")
        }
        if isName {
            connections[call.connection].client.libraryName = call[3].array
        } else {
            connections[call.connection].client.libraryVersion = call[3].array
        }
        call.reply.ok()
        return .done
    }

    /// `CLIENT REPLY ON|OFF|SKIP`: OFF and SKIP are themselves not answered.
    private mutating func clientReply(_ call: Call) -> Attempt {
        let place = call.connection
        if call[2].equalsIgnoringCase("on") {
            connections[place].replyMode = .on
            call.reply.ok()
        } else if call[2].equalsIgnoringCase("off") {
            connections[place].replyMode = .off
        } else if call[2].equalsIgnoringCase("skip") {
            if connections[place].replyMode != .off { connections[place].replyMode = .skipNext }
        } else {
            return reject(call, "ERR syntax error")
        }
        return .done
    }

    /// `CLIENT PAUSE timeout [WRITE|ALL]`: a longer or stricter pause that is under way stays.
    private mutating func pauseClients(_ call: Call) -> Attempt {
        if call.count > 4 { return refuseForm(call) }
        var isWriteOnly = false
        if call.count == 4 {
            isWriteOnly = call[3].equalsIgnoringCase("write")
            guard isWriteOnly || call[3].equalsIgnoringCase("all") else {
                return reject(call, "ERR CLIENT PAUSE mode must be WRITE or ALL")
            }
        }
        guard let timeout = WholeNumber.parse(call[2]) else {
            return reject(call, "ERR timeout is not an integer or out of range")
        }
        guard timeout >= 0 else { return reject(call, "ERR timeout is negative") }
        if timeout > 0 {
            let isUnderWay = clientPause.until > now.monotonic
            let end = deadline(afterMillis: timeout)
            clientPause.isWriteOnly = isWriteOnly && (!isUnderWay || clientPause.isWriteOnly)
            clientPause.until = max(isUnderWay ? clientPause.until : 0, end == 0 ? .max : end)
        }
        call.reply.ok()
        return .done
    }

    /// `CLIENT UNBLOCK id [TIMEOUT|ERROR]`: ends another connection's WAIT.
    private mutating func clientUnblock(_ call: Call) -> Attempt {
        var isError = false
        if call.count == 4 {
            isError = call[3].equalsIgnoringCase("error")
            guard isError || call[3].equalsIgnoringCase("timeout") else {
                return reject(call, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
            }
        } else if call.count > 4 {
            return refuseForm(call)
        }
        guard let number = WholeNumber.parse(call[2]) else { return reject(call, WholeNumber.refusal) }
        guard
            let place = connections.indices.first(where: {
                isClient($0) && Int64(truncatingIfNeeded: connections[$0].client.id) == number
            }), case .wait = connections[place].block, !unblocked.contains(where: { $0.connection == id(place) })
        else {
            call.reply.integer(0)
            return .done
        }
        // The turn's end does it: what the other sent behind its WAIT may not run while a record of EXEC is open.
        unblocked.append((id(place), isError))
        call.reply.integer(1)
        return .done
    }

    /// Ends the waits that CLIENT UNBLOCK named in this turn.
    mutating func endUnblocked() {
        let named = unblocked
        unblocked.removeAll()
        for (connection, isError) in named {
            guard let place = place(connection), case .wait = connections[place].block else { continue }
            if isError {
                answerHead(place) { $0.error("UNBLOCKED client unblocked via CLIENT UNBLOCK") }
            } else {
                answerHead(place) { $0.integer(0) }
            }
        }
    }

    /// A subcommand that there is, in a form that there is not.
    mutating func refuseForm(_ call: Call) -> Attempt {
        let parent = String(decoding: CommandTable.lowercased(call[0]), as: UTF8.self).uppercased()
        return reject(
            call,
            "ERR unknown subcommand or wrong number of arguments for '\(call[1][0..<128].text)'. Try \(parent) HELP.")
    }

    /// Whether a client is connected at the place.
    func isClient(_ place: Int) -> Bool {
        guard connections[place].isOpen, case .client = connections[place].kind else { return false }
        return true
    }
}
