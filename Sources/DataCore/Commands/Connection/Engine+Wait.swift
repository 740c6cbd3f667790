import ClusterModel

// WAIT, and the end of the waits of others.
extension Engine {
    /// `WAIT members timeout`: until the connection's last write is committed, or the time is over.
    mutating func wait(_ call: Call) -> Attempt {
        guard let members = WholeNumber.parse(call[1]) else { return reject(call, WholeNumber.refusal) }
        guard let timeout = WholeNumber.parse(call[2]) else {
            return reject(call, "ERR timeout is not an integer or out of range")
        }
        guard timeout >= 0 else { return reject(call, "ERR timeout is negative") }
        if members <= 0 || call.isInExec || isLastWriteSettled(call.connection) {
            call.reply.integer(otherDurableMembers(call.connection))
            return .done
        }
        connections[call.connection].blockedUntil = deadline(afterMillis: timeout)
        return .blocked(.wait)
    }

    /// The time so many ms from now, ns; 0 ms is no limit, and what is beyond the clock's range too.
    func deadline(afterMillis millis: Int64) -> UInt64 {
        guard millis > 0 else { return 0 }
        let (nanoseconds, overflow) = UInt64(millis).multipliedReportingOverflow(by: 1_000_000)
        let (end, carry) = now.monotonic.addingReportingOverflow(nanoseconds)
        return overflow || carry ? 0 : end
    }

    /// Other members on which the connection's last write is durable.
    private func otherDurableMembers(_ place: Int) -> Int {
        let (replica, seq) = connections[place].lastWrite
        guard replica >= 0 else { return 0 }
        return replicas[replica].followers.count { !$0.isLearner && $0.isReconciled && $0.acked >= seq }
    }

    private func isLastWriteSettled(_ place: Int) -> Bool {
        let (replica, seq) = connections[place].lastWrite
        return replica < 0 || numbers[replica].commit >= seq || numbers[replica].isLost
    }

    /// Commit points rose: answers every WAIT whose write is committed.
    mutating func answerWaits() {
        guard !parked.isEmpty else { return }
        let all = parked
        parked.removeAll(keepingCapacity: true)
        for place in all {
            guard connections[place].isOpen, connections[place].isBlocked else { continue }
            if case .wait = connections[place].block, isLastWriteSettled(place) {
                let others = otherDurableMembers(place)
                answerHead(place) { $0.integer(others) }
            } else {
                parked.append(place)
            }
        }
    }
}
