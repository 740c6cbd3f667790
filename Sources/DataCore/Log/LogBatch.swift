public import ClusterModel

/// The records of one persist: written by the core, then synced by the log writer, then read by the applier, without
/// a copy in between.
///
/// Not locked: one thread at a time owns a batch, and hands it on through a queue. State lies behind a pointer, so that
/// no exclusivity check is made per op; the memory is reused from batch to batch.
///
/// A batch is a header of 64 bytes (`BatchHeader`, written when it is sealed) followed by records, each a
/// `RecordHeader` and its payload.
@safe public final class LogBatch: @unchecked Sendable {
    struct State: ~Copyable {
        var bytes: ByteBuffer
        /// Offset of the open record's header; 0 = none is open.
        var open = 0
        var records = 0
        /// Bytes of header and records, without the padding a seal adds.
        var sealed = 0
        var ticket: UInt64 = 0
        var generation: UInt64 = 0

        init(capacity: Int) {
            bytes = ByteBuffer(capacity: capacity)
            clear()
        }

        mutating func clear() {
            bytes.removeAll()
            for _ in 0..<BatchHeader.size / 8 { bytes.append(littleEndian: UInt64(0)) }
            open = 0
            records = 0
            sealed = 0
        }
    }

    let state: UnsafeMutablePointer<State>

    /// - Parameter capacity: bytes allocated at once; more are taken as needed.
    public init(capacity: Int = 64 << 10) {
        unsafe state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(to: State(capacity: capacity))
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The core's number of the batch: rises from batch to batch; "durable through ticket n" covers all up to n.
    @inline(__always) public var ticket: UInt64 {
        get { unsafe state.pointee.ticket }
        set { unsafe state.pointee.ticket = newValue }
    }

    /// The segment it was written to; set by the log writer.
    public var generation: UInt64 {
        get { unsafe state.pointee.generation }
        set { unsafe state.pointee.generation = newValue }
    }

    /// Takes the bytes of a batch on disk over; it counts as sealed.
    func restore(_ onDisk: ByteView) {
        unsafe state.pointee.bytes.removeAll()
        unsafe state.pointee.bytes.append(onDisk)
        let length = Int(onDisk.littleEndian(at: 32, as: UInt32.self))
        unsafe state.pointee.records = Int(onDisk.littleEndian(at: 36, as: UInt32.self))
        unsafe state.pointee.sealed = min(BatchHeader.size + length, onDisk.count)
    }

    @inline(__always) public var isEmpty: Bool { unsafe state.pointee.records == 0 && state.pointee.open == 0 }
    /// Records ended so far.
    @inline(__always) public var recordCount: Int { unsafe state.pointee.records }
    /// Bytes of header and records.
    @inline(__always) public var byteCount: Int {
        unsafe state.pointee.sealed > 0 ? state.pointee.sealed : state.pointee.bytes.count
    }

    /// Bytes of memory it takes: what it was made for may be far more than it holds.
    public var footprint: Int { unsafe state.pointee.bytes.capacity + MemoryLayout<State>.size + 64 }

    /// The same batch in as much memory as it needs.
    func compacted() -> LogBatch {
        let copy = LogBatch(capacity: unsafe state.pointee.bytes.count)
        unsafe copy.state.pointee.bytes.removeAll()
        unsafe copy.state.pointee.bytes.append(state.pointee.bytes.view)
        unsafe copy.state.pointee.records = state.pointee.records
        unsafe copy.state.pointee.sealed = state.pointee.sealed
        copy.ticket = ticket
        copy.generation = generation
        return copy
    }

    /// No record follows. From now on nothing of it moves: the log writer seals it, and replicas that lag may be sent its
    /// records meanwhile.
    public func finish() {
        let end = byteCount
        unsafe state.pointee.bytes.reserve(BatchHeader.padded(end) - end)
        unsafe state.pointee.sealed = end
    }

    /// Empties the batch for its next use; the memory stays.
    public func removeAll() { unsafe state.pointee.clear() }

    /// Gives memory above `limit` bytes back. - Precondition: the batch is empty.
    public func shrink(above limit: Int) {
        precondition(isEmpty)
        guard unsafe state.pointee.bytes.capacity > limit else { return }
        unsafe state.pointee.bytes = ByteBuffer(capacity: max(BatchHeader.size, min(limit, 64 << 10)))
        unsafe state.pointee.clear()
    }

    // MARK: Writing

    /// Begins a record; ops follow, then `endRecord`. - Precondition: none is open, and the batch is not sealed.
    @inline(__always)
    public func beginRecord(
        shard: ShardID, incarnation: Incarnation, epoch: Epoch, seq: Seq, kind: RecordKind, flags: UInt8 = 0
    ) {
        unsafe precondition(state.pointee.open == 0 && state.pointee.sealed == 0)
        unsafe state.pointee.open = state.pointee.bytes.count
        let header = RecordHeader(
            shard: shard, incarnation: incarnation, epoch: epoch, seq: seq, kind: kind, flags: flags)
        _ = unsafe state.pointee.bytes.fill(atLeast: RecordHeader.size) { room in
            guard let base = room.baseAddress else { return 0 }
            unsafe header.write(to: base)
            return RecordHeader.size
        }
    }

    /// Ends the open record. - Precondition: one is open.
    @inline(__always)
    public func endRecord() {
        let open = unsafe state.pointee.open
        precondition(open > 0)
        let length = unsafe state.pointee.bytes.count - open - RecordHeader.size
        unsafe state.pointee.bytes.replace(at: open + 32, littleEndian: UInt32(truncatingIfNeeded: length))
        unsafe state.pointee.open = 0
        unsafe state.pointee.records += 1
    }

    /// Adds a record that says that a life of a shard's replica ended.
    /// - Precondition: as for `beginRecord`.
    public func drop(_ shard: ShardID, _ end: ReplicaEnd) {
        beginRecord(
            shard: shard, incarnation: end.incarnation, epoch: end.promised ?? .none, seq: .zero, kind: .drop)
        endRecord()
    }

    /// Forgets the open record and what was put into it. - Precondition: one is open.
    public func cancelRecord() {
        let open = unsafe state.pointee.open
        precondition(open > 0)
        unsafe state.pointee.bytes.truncate(to: open)
        unsafe state.pointee.open = 0
    }

    /// Bytes of payload in the open record; 0 when none is open.
    @inline(__always) public var openLength: Int {
        let open = unsafe state.pointee.open
        return open == 0 ? 0 : unsafe state.pointee.bytes.count - open - RecordHeader.size
    }

    /// Appends the op put. `deadline`: ms since 1970, 0 = none. - Precondition: a record is open; key and value are
    /// below 4 GiB and do not lie in this batch.
    @inline(__always)
    public func put(key: ByteView, value: ByteView, deadline: Int64 = 0) {
        let size = LogOp.putHeader + key.count + value.count
        unsafe precondition(state.pointee.open > 0)
        _ = unsafe state.pointee.bytes.fill(atLeast: size) { room in
            guard let base = room.baseAddress else { return 0 }
            unsafe base.storeBytes(of: LogOp.Code.put, as: UInt8.self)
            unsafe base.storeBytes(
                of: UInt32(truncatingIfNeeded: key.count).littleEndian, toByteOffset: 1, as: UInt32.self)
            unsafe base.storeBytes(
                of: UInt32(truncatingIfNeeded: value.count).littleEndian, toByteOffset: 5, as: UInt32.self)
            unsafe base.storeBytes(of: deadline.littleEndian, toByteOffset: 9, as: Int64.self)
            if let source = unsafe key.base {
                unsafe (base + LogOp.putHeader).copyMemory(from: source, byteCount: key.count)
            }
            if let source = unsafe value.base {
                unsafe (base + LogOp.putHeader + key.count).copyMemory(from: source, byteCount: value.count)
            }
            return size
        }
    }

    /// Appends the op delete. - Precondition: a record is open.
    @inline(__always)
    public func delete(key: ByteView) {
        unsafe precondition(state.pointee.open > 0)
        unsafe state.pointee.bytes.append(LogOp.Code.delete)
        unsafe state.pointee.bytes.append(littleEndian: UInt32(truncatingIfNeeded: key.count))
        unsafe state.pointee.bytes.append(key)
    }

    /// Appends the op flush: every row of the shard goes. - Precondition: a record is open.
    public func flush() {
        unsafe precondition(state.pointee.open > 0)
        unsafe state.pointee.bytes.append(LogOp.Code.flush)
    }

    /// Appends the op time: `wall` ms since 1970. - Precondition: a record is open.
    public func time(_ wall: Int64) {
        unsafe precondition(state.pointee.open > 0)
        unsafe state.pointee.bytes.append(LogOp.Code.time)
        unsafe state.pointee.bytes.append(littleEndian: wall)
    }

    /// Appends bytes to the open record as they are: payloads that are no ops. - Precondition: a record is open.
    public func append(_ bytes: ByteView) {
        unsafe precondition(state.pointee.open > 0)
        unsafe state.pointee.bytes.append(bytes)
    }

    /// Appends bytes to the open record as they are. - Precondition: a record is open.
    public func append(_ bytes: [UInt8]) { bytes.withByteView { append($0) } }

    // MARK: Reading

    /// Walks the records. - Precondition: none is open; the batch does not change while the cursor is used.
    @inline(__always) public var records: RecordCursor {
        unsafe precondition(state.pointee.open == 0)
        return unsafe RecordCursor(state.pointee.bytes.view[BatchHeader.size..<byteCount])
    }

    /// Hands every record in order to `body`; the payload is valid until the batch changes.
    @inline(__always)
    public func forEachRecord<Failure: Error>(
        _ body: (RecordHeader, ByteView) throws(Failure) -> Void
    ) throws(Failure) {
        var cursor = records
        while let record = cursor.next() { try body(record.header, record.payload) }
    }
}

/// Reads the records of a batch one after another; damaged bytes end it with `isDamaged` set, and never trap.
public struct RecordCursor {
    @usableFromInline var rest: ByteView
    /// Whether the bytes left are no record.
    public private(set) var isDamaged = false

    /// - Parameter bytes: a batch without its header and padding.
    @inline(__always) public init(_ bytes: ByteView) { rest = bytes }

    /// The next record; nil at the end, or at the first bytes that are none.
    @inline(__always)
    public mutating func next() -> (header: RecordHeader, payload: ByteView)? {
        guard let (header, whole) = nextWhole() else { return nil }
        return (header, whole[RecordHeader.size..<whole.count])
    }

    /// The next record with all its bytes, header included.
    @inline(__always)
    public mutating func nextWhole() -> (header: RecordHeader, whole: ByteView)? {
        guard rest.count > 0 else { return nil }
        guard let header = RecordHeader(rest) else {
            isDamaged = true
            rest = .empty
            return nil
        }
        let end = RecordHeader.size + header.length
        let whole = rest[0..<end]
        rest = rest[end..<rest.count]
        return (header, whole)
    }
}
