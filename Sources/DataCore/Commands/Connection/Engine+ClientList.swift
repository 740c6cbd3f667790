import ClusterModel
internal import DequeModule

// CLIENT LIST and CLIENT INFO: a line for each connection, with the fields of Redis 7.0 and the library's name and version
// behind them, as 7.2 has it.
extension Engine {
    /// `CLIENT LIST [TYPE type] [ID id ...]`
    func clientList(_ call: Call) -> Attempt {
        var type = ClientType.normal
        var wanted: [UInt64]?
        if call.count == 4, call[2].equalsIgnoringCase("type") {
            guard let named = ClientType(call[3]) else {
                return refuse(call, "ERR Unknown client type '\(call[3].text)'")
            }
            type = named
        } else if call.count > 3, call[2].equalsIgnoringCase("id") {
            var numbers: [UInt64] = []
            for index in 3..<call.count {
                guard let number = WholeNumber.parse(call[index]) else { return refuse(call, "ERR Invalid client ID") }
                numbers.append(UInt64(bitPattern: number))
            }
            wanted = numbers
        } else if call.count > 2 {
            return refuse(call, "ERR syntax error")
        }
        let places = clientPlaces
        var text = ""
        if let wanted {
            for number in wanted {
                for place in places where connections[place].client.id == number { text += clientLine(place) }
            }
        } else if type == .normal {
            for place in places { text += clientLine(place) }
        }
        call.reply.verbatim(text)
        return .done
    }

    private func refuse(_ call: Call, _ text: String) -> Attempt {
        call.reply.error(text)
        return .done
    }

    /// Places of clients, the longest connected first.
    private var clientPlaces: [Int] {
        connections.indices.filter { isClient($0) && !connections[$0].isClosing }
            .sorted { connections[$0].client.id < connections[$1].client.id }
    }

    func clientLine(_ place: Int) -> String {
        let client = connections[place].client
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        func seconds(since start: Int64) -> Int64 { max(now.wall - start, 0) / 1000 }
        let waiting = connections[place].held.bytes.count
        let ready = connections[place].out.bytes.count
        let queued = connections[place].queue.footprint
        let isInMulti = connections[place].transaction.isOpen
        let memory = ready + waiting + queued + connections[place].transaction.queue.footprint + 512
        return "id=\(client.id) addr=\(client.address) laddr=\(client.local) fd=\(place) name=\(text(client.name)) "
            + "age=\(seconds(since: client.opened)) idle=\(seconds(since: client.lastCommand)) "
            + "flags=\(flags(place)) db=\(connections[place].keyspace) sub=0 psub=0 ssub=0 "
            + "multi=\(isInMulti ? connections[place].transaction.queue.count : -1) qbuf=\(queued) qbuf-free=0 "
            + "argv-mem=0 multi-mem=\(isInMulti ? connections[place].transaction.queue.footprint : 0) "
            + "rbs=\(connections[place].out.bytes.capacity) rbp=\(ready) obl=\(ready) "
            + "oll=\(connections[place].marks.count) omem=\(waiting) tot-mem=\(memory) events=r "
            + "cmd=\(client.command.map { CommandTable.name(of: $0) } ?? "NULL") user=default redir=-1 "
            + "resp=\(connections[place].out.resp3 ? 3 : 2) "
            + "lib-name=\(text(client.libraryName)) lib-ver=\(text(client.libraryVersion))\n"
    }

    private func flags(_ place: Int) -> String {
        var flags = ""
        if connections[place].transaction.isOpen { flags += "x" }
        if connections[place].isBlocked { flags += "b" }
        if connections[place].transaction.isDirty { flags += "d" }
        if connections[place].isClosing { flags += "c" }
        if connections[place].client.isReadonly { flags += "r" }
        if connections[place].client.isNoEvict { flags += "e" }
        if connections[place].client.isNoTouch { flags += "T" }
        return flags.isEmpty ? "N" : flags
    }
}

/// Kinds of clients that CLIENT LIST and KILL tell apart; here all are normal.
enum ClientType {
    case normal, master, replica, pubsub

    init?(_ word: ByteView) {
        if word.equalsIgnoringCase("normal") {
            self = .normal
        } else if word.equalsIgnoringCase("master") {
            self = .master
        } else if word.equalsIgnoringCase("replica") || word.equalsIgnoringCase("slave") {
            self = .replica
        } else if word.equalsIgnoringCase("pubsub") {
            self = .pubsub
        } else {
            return nil
        }
    }
}
