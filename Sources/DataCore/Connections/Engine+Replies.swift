import ClusterModel
internal import DequeModule

// Replies keep their connection's order. What may be sent at once goes to `out`; what waits for a commit or for another
// node goes to `held` behind a mark.
extension Engine {
    /// Where the next reply of a connection is composed, and how many bytes are there already.
    /// - Parameter waits: it will have to wait for a commit, so it is composed behind a mark from the start.
    @inline(__always)
    func replyTarget(_ place: Int, waits: Bool = false) -> UnsafeMutablePointer<ReplyBuffer> {
        let connection = unsafe connections.address(place)
        if !waits, unsafe connection.pointee.marks.isEmpty || Mutant.g3ReplyOvertakes.isOn,
            unsafe !connection.pointee.isSession
        {
            return unsafe connection.pointee.arenas
        }
        return unsafe connection.pointee.arenas + 1
    }

    /// Settles a reply composed from byte `start` on.
    @inline(__always)
    mutating func settleReply(_ call: Call, from start: Int, request: UInt64) {
        let place = call.connection
        if call.seq != 0 { connections[place].lastWrite = (call.replica, call.seq) }
        if connections[place].replyMode != .on || call.isSilenced {
            settleSilently(call, from: start)
            guard call.isSilenced, call.reply.bytes.count > start else { return }
        }
        let waits =
            call.replica >= 0 && call.wait > numbers[call.replica].commit
            && (call.seq != 0 || !Mutant.c18AnswersFromPending.isOn)
        if call.isComposedInOut(connections[place]) {
            if !waits { return markDirty(place) }
            // Composed in `out`, but not to be sent yet: it moves behind a mark.
            let length = connections[place].out.bytes.count - start
            unsafe connections.address(place).pointee.moveReply(from: start)
            push(
                Connection.Mark(
                    length: UInt32(truncatingIfNeeded: length), count: 1, isRemote: false, isLogged: call.seq != 0,
                    replica: Int32(truncatingIfNeeded: call.replica), seq: call.wait, request: request), place)
            return
        }
        let length = connections[place].held.bytes.count - start
        push(
            Connection.Mark(
                length: UInt32(truncatingIfNeeded: length), count: 1, isRemote: false, isLogged: call.seq != 0,
                replica: Int32(truncatingIfNeeded: call.replica), seq: waits ? call.wait : 0, request: request), place)
        if !waits { release(place) }
    }

    /// CLIENT REPLY OFF or SKIP: the command ran, its reply is not given. An EXEC's was taken back as it was written.
    private mutating func settleSilently(_ call: Call, from start: Int) {
        let place = call.connection
        if !call.isSilenced {
            if call.isComposedInOut(connections[place]) {
                connections[place].out.bytes.truncate(to: start)
            } else {
                connections[place].held.bytes.truncate(to: start)
            }
        }
        switch connections[place].replyMode {
        case .skipNext: connections[place].replyMode = .skip
        case .skip: connections[place].replyMode = .on
        case .on, .off: break
        }
    }

    @inline(__always)
    mutating func push(_ mark: Connection.Mark, _ place: Int) {
        let connection = unsafe connections.address(place)
        if let last = unsafe connection.pointee.marks.last, !last.isRemote, !mark.isRemote, mark.request == 0,
            last.replica == mark.replica, last.isLogged == mark.isLogged, !last.isLost, mark.seq != 0, last.seq != 0,
            last.count < .max
        {
            let index = unsafe connection.pointee.marks.count - 1
            unsafe connection.pointee.marks[index].length += mark.length
            unsafe connection.pointee.marks[index].count += 1
            unsafe connection.pointee.marks[index].seq = max(last.seq, mark.seq)
        } else {
            unsafe connection.pointee.marks.append(mark)
        }
        if unsafe !connection.pointee.isWaiting {
            unsafe connection.pointee.isWaiting = true
            waiting.append(place)
        }
    }

    @inline(__always)
    mutating func markDirty(_ place: Int) {
        if !connections[place].isDirty {
            connections[place].isDirty = true
            connections[place].client.lastCommand = now.wall
            dirty.append(place)
        }
    }

    /// Commit points rose: looks at every connection that waits.
    mutating func releaseWaiting() {
        var kept = 0
        let all = waiting.count
        for index in 0..<all {
            let place = waiting[index]
            release(place)
            if connections[place].marks.isEmpty {
                connections[place].isWaiting = false
            } else {
                waiting[kept] = place
                kept += 1
            }
        }
        // A release may make a parked command run, whose reply waits: it was added behind `all`.
        for index in all..<waiting.count {
            waiting[kept] = waiting[index]
            kept += 1
        }
        waiting.removeLast(waiting.count - kept)
    }

    /// Moves replies whose time has come from `held` to `out` (sessions: to their link).
    mutating func release(_ place: Int) {
        let connection = unsafe connections.address(place)
        var taken = 0
        while let mark = unsafe connection.pointee.marks.first {
            if mark.isRemote {
                guard releaseRemote(mark, place) else { break }
            } else {
                let replica = Int(mark.replica)
                let isCovered = mark.seq == 0 || mark.seq <= numbers[replica].commit
                guard isCovered || mark.isLost || numbers[replica].isLost else { break }
                let length = Int(mark.length)
                let body = unsafe connection.pointee.held.bytes.view[taken..<taken + length]
                if isCovered, !mark.isLost {
                    give(body, mark, place)
                } else {
                    giveLost(mark, place)
                }
                taken += length
            }
            unsafe connection.pointee.marks.removeFirst()
        }
        if taken > 0 {
            unsafe connection.pointee.held.bytes.dropFirst(taken)
            unsafe connection.pointee.held.bytes.shrink(above: 64 << 10)
        }
        if unsafe connection.pointee.marks.isEmpty, case .order = unsafe connection.pointee.block { unblock(place) }
        resumeReading(place)
    }

    @inline(__always)
    private mutating func give(_ body: ByteView, _ mark: Connection.Mark, _ place: Int) {
        if case .session(let link, _) = connections[place].kind {
            connections[place].linkBytes += body.count
            answer(link: link, request: mark.request, .reply, body: body)
        } else {
            connections[place].out.bytes.append(body)
            markDirty(place)
        }
    }

    /// Marks replies that wait, or whose turn has not come, as lost; another node's are not looked at. They are given so when
    /// their turn comes.
    mutating func loseReplies(where isVoid: (Connection.Mark) -> Bool) {
        for place in waiting {
            for mark in connections[place].marks.indices {
                let known = connections[place].marks[mark]
                guard !known.isRemote, isVoid(known) else { continue }
                connections[place].marks[mark].isLost = true
            }
        }
    }

    /// The record was lost with the role: definite for what logged nothing, unknown for the rest (RULES C18, G2).
    private mutating func giveLost(_ mark: Connection.Mark, _ place: Int) {
        let text: StaticString =
            mark.isLogged && !Mutant.g2UnknownIsRefused.isOn
            ? "-UNCERTAIN the primary role was lost before the write was committed\r\n"
            : "-TRYAGAIN the primary role was lost, nothing was executed\r\n"
        for _ in 0..<mark.count { give(ByteView(text), mark, place) }
    }
}

extension Connection {
    /// Takes the reply that begins at byte `start` of `out` to the end of `held`.
    mutating func moveReply(from start: Int) {
        held.bytes.append(out.bytes.view[start..<out.bytes.count])
        out.bytes.truncate(to: start)
    }
}
