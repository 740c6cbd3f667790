public import ClusterModel

/// What a log says of one shard beside its rows: the state that must outlive the deletion of old segments (RULES E8).
///
/// As the payload of a checkpoint record, integers little-endian; incarnation, last epoch and last seq are in the header:
///
/// | size | field |
/// |---|---|
/// | 8 | highest promised epoch |
/// | 4 | number of epochs in the vector |
/// | 16 each | epoch, seq of its first record |
/// | 4 + n | the promised configuration: length, bytes |
public struct ShardControl: Hashable, Sendable {
    public var shard: ShardID
    public var incarnation: Incarnation
    /// The highest epoch promised, with its configuration as it was logged (RULES C3).
    public var promised: Epoch = .none
    public var configuration: [UInt8] = []
    /// Epoch and first seq, ascending (RULES C1).
    public var epochs: [EpochStart] = []
    public var lastEpoch: Epoch = .none
    public var last: Seq = .zero
    /// A seq was passed over: the log has lost records of this shard.
    public var hasGap = false
    /// Bytes of the log before here are lost, and no later record has shown yet that none of this shard's were among them.
    public var isDoubtful = false

    /// Whether the log may lack something that this replica has promised (RULES E3).
    public var isLost: Bool { hasGap || isDoubtful }

    func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: promised.rawValue)
        buffer.append(epochs: epochs)
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: configuration.count))
        buffer.append(configuration)
    }

    /// Reads a checkpoint record; nil if its payload is malformed.
    init?(_ header: RecordHeader, _ payload: ByteView) {
        var reader = BinaryReader(payload)
        guard let promised = reader.counter(Epoch.self), let epochs = reader.epochs() else { return nil }
        shard = header.shard
        incarnation = header.incarnation
        self.promised = promised
        self.epochs = epochs
        guard let bytes = reader.bytes(limit: Limits.frameBytes), reader.isComplete else { return nil }
        configuration = bytes.array
        lastEpoch = header.epoch
        last = header.seq
    }

    init(shard: ShardID, incarnation: Incarnation) {
        self.shard = shard
        self.incarnation = incarnation
    }
}

/// The fold of all records of a log: what a checkpoint holds. The log writer keeps it as records pass, recovery as it reads
/// them, so both have the same.
public struct ControlState: Sendable {
    private var shards: [ShardControl] = []
    private var places: [ShardID: Int] = [:]
    private var run = Run()
    /// The last life of each shard's replica that ended here: its number is never used again (RULES C14).
    public private(set) var dropped: [ShardID: ReplicaEnd] = [:]

    /// The shard of the last record: records come in runs, and a run touches nothing but this.
    private struct Run: Sendable {
        /// Its place in `shards`; -1 = there is none.
        var place = -1
        var shard = ShardID.none
        var incarnation = Incarnation.first
        var epoch = Epoch.none
        var last = Seq.zero
        var hasGap = false

        @inline(__always)
        mutating func advance(_ header: RecordHeader) {
            hasGap = hasGap || header.seq.rawValue > last.rawValue &+ 1
            last = header.seq
            epoch = header.epoch
        }

        func write(to control: inout ShardControl) {
            control.lastEpoch = epoch
            control.last = last
            control.hasGap = hasGap
        }
    }

    public init() {}

    /// All shards the log knows, by id.
    public var all: [ShardControl] {
        var shards = shards
        if run.place >= 0 { run.write(to: &shards[run.place]) }
        return shards.sorted { $0.shard < $1.shard }
    }

    public subscript(shard: ShardID) -> ShardControl? {
        guard let place = places[shard] else { return nil }
        var control = shards[place]
        if place == run.place { run.write(to: &control) }
        return control
    }

    /// Takes all records of a batch.
    public mutating func note(_ batch: LogBatch) {
        var cursor = batch.records
        while let (header, payload) = cursor.next() { note(header, payload) }
    }

    /// Takes one record, in log order.
    @inline(__always)
    public mutating func note(_ header: RecordHeader, _ payload: ByteView) {
        if header.kind == .data, run.shard == header.shard, run.incarnation == header.incarnation, run.place >= 0 {
            run.advance(header)
        } else {
            noteSlowly(header, payload)
        }
    }

    @inline(never)
    private mutating func noteSlowly(_ header: RecordHeader, _ payload: ByteView) {
        endRun()
        if let ended = dropped[header.shard], header.incarnation <= ended.incarnation { return }
        let place = place(of: header)
        // Records of a life that ended are passed over (RULES C15).
        guard header.incarnation >= shards[place].incarnation else { return }
        if header.incarnation > shards[place].incarnation {
            shards[place] = ShardControl(shard: header.shard, incarnation: header.incarnation)
        }
        switch header.kind {
        case .data: advance(place, header)
        case .epochStart:
            advance(place, header)
            shards[place].epochs.append(EpochStart(epoch: header.epoch, first: header.seq))
            promise(place, header, payload)
        case .promise: promise(place, header, payload)
        case .drop: return remove(place, ReplicaEnd(header))
        case .truncate: truncate(place, header)
        case .checkpoint: if let control = ShardControl(header, payload) { check(place, control) }
        case .snapshot:
            shards[place].last = header.seq
            shards[place].lastEpoch = header.epoch
            shards[place].hasGap = false
        }
        // What is in doubt is looked at record by record.
        if !shards[place].isDoubtful { beginRun(place) }
    }

    private mutating func endRun() {
        if run.place >= 0 { run.write(to: &shards[run.place]) }
        run.place = -1
    }

    private mutating func beginRun(_ place: Int) {
        let control = shards[place]
        run = Run(
            place: place, shard: control.shard, incarnation: control.incarnation, epoch: control.lastEpoch,
            last: control.last, hasGap: control.hasGap)
    }

    private mutating func advance(_ place: Int, _ header: RecordHeader) {
        if header.seq.rawValue > shards[place].last.rawValue &+ 1 || shards[place].isDoubtful && !attests(place, header)
        {
            shards[place].hasGap = true
        }
        shards[place].isDoubtful = false
        shards[place].last = header.seq
        shards[place].lastEpoch = header.epoch
    }

    /// Whether a record behind lost bytes shows that what is known of its shard is all there was: the next one of the same
    /// epoch, since equal epoch and seq have equal histories. The first of another epoch shows nothing: the log may have been
    /// cut before it and have grown again to the same length, with other records.
    private func attests(_ place: Int, _ header: RecordHeader) -> Bool {
        header.kind == .data && header.seq.rawValue == shards[place].last.rawValue &+ 1
            && header.epoch == shards[place].lastEpoch
    }

    /// A checkpoint says all there is to know; behind lost bytes it is told whether that was known.
    private mutating func check(_ place: Int, _ control: ShardControl) {
        var known = shards[place]
        var control = control
        if known.incarnation == control.incarnation {
            let (hasGap, isDoubtful) = (known.hasGap, known.isDoubtful)
            (known.hasGap, known.isDoubtful) = (false, false)
            control.hasGap = hasGap || isDoubtful && known != control
        }
        shards[place] = control
    }

    /// Bytes are lost between what was taken and what comes next.
    mutating func breakOff() {
        endRun()
        for place in shards.indices { shards[place].isDoubtful = true }
    }

    private mutating func place(of header: RecordHeader) -> Int {
        if let place = places[header.shard] { return place }
        shards.append(ShardControl(shard: header.shard, incarnation: header.incarnation))
        places[header.shard] = shards.count - 1
        return shards.count - 1
    }

    private mutating func promise(_ place: Int, _ header: RecordHeader, _ payload: ByteView) {
        // A promise names the last record there was: what lost bytes held may be told by it alone.
        if header.seq > shards[place].last, !Mutant.e3TrustsLonePromises.isOn { shards[place].hasGap = true }
        guard header.epoch >= shards[place].promised else { return }
        shards[place].promised = header.epoch
        shards[place].configuration = payload.array
    }

    private mutating func truncate(_ place: Int, _ header: RecordHeader) {
        if shards[place].isDoubtful { shards[place].hasGap = true }
        // Seqs start at 1: a cut at 0 and a cut at 1 both leave nothing; a cut above the end cuts nothing.
        let kept = Seq(rawValue: header.seq.rawValue > 0 ? header.seq.rawValue - 1 : 0)
        guard kept < shards[place].last else { return }
        shards[place].last = kept
        shards[place].epochs.removeAll { $0.first > kept }
        shards[place].lastEpoch = shards[place].epochs.last?.epoch ?? .none
    }

    private mutating func remove(_ place: Int, _ end: ReplicaEnd) {
        dropped[shards[place].shard] = end
        places[shards[place].shard] = nil
        shards.remove(at: place)
        for (index, control) in shards.enumerated() where index >= place { places[control.shard] = index }
    }

    /// Writes the records that open a segment.
    public func write(to batch: LogBatch) {
        if Mutant.e8NoCheckpoint.isOn { return }
        for shard in dropped.keys.sorted() {
            if let end = dropped[shard] { batch.drop(shard, end) }
        }
        for control in all {
            batch.beginRecord(
                shard: control.shard, incarnation: control.incarnation, epoch: control.lastEpoch, seq: control.last,
                kind: .checkpoint)
            var payload = ByteBuffer(capacity: 256)
            control.encode(into: &payload)
            batch.append(payload.view)
            batch.endRecord()
        }
    }
}
