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

    public struct EpochStart: Hashable, Sendable {
        public var epoch: Epoch
        public var first: Seq
    }

    func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: promised.rawValue)
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: epochs.count))
        for start in epochs {
            buffer.append(littleEndian: start.epoch.rawValue)
            buffer.append(littleEndian: start.first.rawValue)
        }
        buffer.append(littleEndian: UInt32(truncatingIfNeeded: configuration.count))
        buffer.append(configuration)
    }

    /// Reads a checkpoint record; nil if its payload is malformed.
    init?(_ header: RecordHeader, _ payload: ByteView) {
        var reader = BinaryReader(payload)
        guard let promised = reader.integer(UInt64.self), let count = reader.integer(UInt32.self) else { return nil }
        shard = header.shard
        incarnation = header.incarnation
        self.promised = Epoch(rawValue: promised)
        for _ in 0..<count {
            guard let epoch = reader.integer(UInt64.self), let first = reader.integer(UInt64.self) else { return nil }
            epochs.append(EpochStart(epoch: Epoch(rawValue: epoch), first: Seq(rawValue: first)))
        }
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
    /// Place of the shard of the last record: records come in runs.
    private var recent = -1

    public init() {}

    /// All shards the log knows, by id.
    public var all: [ShardControl] { shards.sorted { $0.shard < $1.shard } }

    public subscript(shard: ShardID) -> ShardControl? { places[shard].map { shards[$0] } }

    /// Takes one record, in log order.
    @inline(__always)
    public mutating func note(_ header: RecordHeader, _ payload: ByteView) {
        if header.kind == .data, recent >= 0, shards[recent].shard == header.shard,
            shards[recent].incarnation == header.incarnation
        {
            advance(recent, header)
        } else {
            noteSlowly(header, payload)
        }
    }

    @inline(__always)
    private mutating func advance(_ place: Int, _ header: RecordHeader) {
        if header.seq.rawValue > shards[place].last.rawValue &+ 1 { shards[place].hasGap = true }
        shards[place].last = header.seq
        shards[place].lastEpoch = header.epoch
    }

    @inline(never)
    private mutating func noteSlowly(_ header: RecordHeader, _ payload: ByteView) {
        let place = place(of: header)
        // Records of a life that ended are passed over (RULES C15).
        guard header.incarnation >= shards[place].incarnation else { return }
        if header.incarnation > shards[place].incarnation {
            shards[place] = ShardControl(shard: header.shard, incarnation: header.incarnation)
        }
        recent = place
        switch header.kind {
        case .data: advance(place, header)
        case .epochStart:
            advance(place, header)
            shards[place].epochs.append(ShardControl.EpochStart(epoch: header.epoch, first: header.seq))
            promise(place, header, payload)
        case .promise: promise(place, header, payload)
        case .drop: remove(place)
        case .truncate: truncate(place, header)
        case .checkpoint: if let control = ShardControl(header, payload) { shards[place] = control }
        case .snapshot:
            shards[place].last = header.seq
            shards[place].lastEpoch = header.epoch
            shards[place].hasGap = false
        }
    }

    private mutating func place(of header: RecordHeader) -> Int {
        if let place = places[header.shard] { return place }
        shards.append(ShardControl(shard: header.shard, incarnation: header.incarnation))
        places[header.shard] = shards.count - 1
        return shards.count - 1
    }

    private mutating func promise(_ place: Int, _ header: RecordHeader, _ payload: ByteView) {
        guard header.epoch >= shards[place].promised else { return }
        shards[place].promised = header.epoch
        shards[place].configuration = payload.array
    }

    private mutating func truncate(_ place: Int, _ header: RecordHeader) {
        shards[place].last = Seq(rawValue: header.seq.rawValue &- 1)
        shards[place].epochs.removeAll { $0.first >= header.seq }
        shards[place].lastEpoch = shards[place].epochs.last?.epoch ?? .none
    }

    private mutating func remove(_ place: Int) {
        places[shards[place].shard] = nil
        shards.remove(at: place)
        for (index, control) in shards.enumerated() where index >= place { places[control.shard] = index }
        recent = -1
    }

    /// Writes the records that open a segment.
    public func write(to batch: LogBatch) {
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
