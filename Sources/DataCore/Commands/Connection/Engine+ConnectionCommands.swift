import ClusterModel

// Commands that touch no key, by their number.
extension Engine {
    mutating func runConnection(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        switch spec.id {
        case .ping: if call.count > 2 { return refuseArity(call, spec) } else { ping(call) }
        case .echo: call.reply.bulk(call[1])
        case .hello: return hello(call)
        case .auth: return auth(call)
        case .select: return select(call)
        case .quit:
            call.reply.ok()
            connections[call.connection].isClosing = true
        case .reset: resetConnection(call)
        case .time: writeTime(call)
        case .wait: return wait(call)
        case .readonly, .readwrite, .asking: return clusterFlag(call, spec.id)
        case .info: info(call)
        default: return runSubcommand(&call, spec)
        }
        return .done
    }

    private mutating func runSubcommand(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        switch spec.id {
        case .clientId, .clientGetname, .clientSetname, .clientSetinfo, .clientInfo, .clientList, .clientKill,
            .clientReply, .clientPause, .clientUnpause, .clientUnblock, .clientNoEvict, .clientNoTouch:
            return runClient(call, spec.id)
        case .command, .commandCount, .commandDocs, .commandInfo, .commandList, .commandGetkeys:
            return runCommandQuery(call, spec.id)
        case .clusterInfo, .clusterNodes, .clusterSlots, .clusterShards, .clusterMyid, .clusterKeyslot,
            .clusterCountkeysinslot:
            return runCluster(&call, spec.id)
        case .configGet, .configSet, .configResetstat, .configRewrite: return runConfig(call, spec.id)
        case .slowlogGet, .slowlogLen, .slowlogReset, .slowlogHelp: return runSlowlog(call, spec.id)
        case .clientHelp, .commandHelp, .clusterHelp, .configHelp, .objectHelp, .memoryHelp:
            writeHelp(call)
            return .done
        default: return reject(call, CommandTable.unknown(call))
        }
    }

    /// HELP of a container: the subcommands that there are, in the form Redis's own help has.
    private func writeHelp(_ call: Call) {
        let name = String(decoding: CommandTable.lowercased(call[0]), as: UTF8.self)
        var lines = ["\(name.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
        for spec in CommandTable.subcommands[name] ?? [] where !spec.name.hasSuffix("|help") {
            lines += [spec.name.dropFirst(name.count + 1).uppercased(), "    \(spec.summary)"]
        }
        lines += ["HELP", "    Prints this help."]
        call.reply.array(lines.count)
        for line in lines {
            call.reply.bytes.append("+")
            call.reply.bytes.append(text: line)
            call.reply.bytes.append("\r\n")
        }
    }

    func refuseArity(_ call: Call, _ spec: CommandSpec) -> Attempt {
        call.reply.error("ERR wrong number of arguments for '\(spec.name)' command")
        return .done
    }

    private func ping(_ call: Call) {
        if call.count == 2 { call.reply.bulk(call[1]) } else { call.reply.simple("PONG") }
    }

    private func writeTime(_ call: Call) {
        call.reply.array(2)
        call.reply.bulk(decimal: now.wall / 1000)
        call.reply.bulk(decimal: now.wall % 1000 * 1000)
    }

    /// READONLY lets a secondary here answer reads, where the keyspace's read mode does; ASKING changes nothing.
    private mutating func clusterFlag(_ call: Call, _ id: CommandID) -> Attempt {
        guard isClusterPort(call.connection) else {
            return reject(call, "ERR This instance has cluster support disabled")
        }
        if id != .asking { connections[call.connection].client.isReadonly = id == .readonly }
        call.reply.ok()
        return .done
    }

    /// RESET: the connection is as it was when it was opened.
    private mutating func resetConnection(_ call: Call) {
        let place = call.connection
        unwatch(place)
        connections[place].transaction = Transaction()
        connections[place].replyMode = .on
        connections[place].keyspace = 0
        connections[place].isAuthenticated = settings.password == nil
        connections[place].client.name = []
        connections[place].client.isReadonly = false
        connections[place].client.isNoEvict = false
        connections[place].client.isNoTouch = false
        useProtocol(2, place)
        call.reply.simple("RESET")
    }

    /// Replies from here on are of RESP2 or RESP3.
    mutating func useProtocol(_ version: Int64, _ place: Int) {
        connections[place].out.resp3 = version == 3
        connections[place].held.resp3 = version == 3
    }
}
