import ClusterModel

// A follower that lacks more than memory has is sent it from the log on disk, a piece at a time: a copy that was away for a
// while, or whose primary has just restarted itself, goes on where it was and is not taught anew.
extension Engine {
    /// Has the log searched for what a follower lacks.
    mutating func searchLog(_ index: Int, _ place: Int) {
        let follower = replicas[index].followers[place]
        guard follower.search == 0 else { return }
        let id = nextWalk
        nextWalk += 1
        replication.lessons[id] = LessonWalk(replica: index, node: follower.member.node)
        replicas[index].followers[place].search = id
        effects.emit(
            .readLog(
                LogRead(
                    id: id, store: replicas[index].store, from: Seq(rawValue: follower.sent + 1),
                    through: Seq(rawValue: numbers[index].streamed), epochs: replicas[index].epochs,
                    byteLimit: resendBytes, place: follower.foundAt)))
    }

    /// The log was searched.
    mutating func noteLogRead(_ read: LogRead) {
        guard let walk = replication.lessons.removeValue(forKey: read.id) else { return }
        let index = walk.replica
        guard replicas[index].isLeading,
            let place = replicas[index].followers.firstIndex(where: {
                $0.member.node == walk.node && $0.search == read.id
            })
        else { return }
        let follower = replicas[index].followers[place]
        replicas[index].followers[place].search = 0
        guard follower.isReconciled, follower.lesson == nil, follower.sent + 1 == read.from.rawValue else { return }
        guard read.last >= read.from else {
            if let fault = read.fault {
                effects.emit(note(.error, "the log could not be read: \(fault)", replica: index))
            }
            replicas[index].followers[place].foundAt = nil
            // A place that was remembered may lie in a segment that is gone: looked for once more from the start.
            guard follower.foundAt == nil else { return searchLog(index, place) }
            if follower.isLearner { return teach(index, place) }
            return giveUp(index, follower.member, isSure: read.fault == nil)
        }
        replicas[index].followers[place].foundAt = read.place
        if follower.foundAt == nil {
            effects.emit(
                note(.info, "sends \(follower.member) records from \(read.from) on from its log", replica: index))
        }
        send(index, place, read.records.view, through: read.last.rawValue)
    }
}
