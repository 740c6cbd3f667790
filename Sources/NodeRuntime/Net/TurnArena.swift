internal import ClusterModel

/// Where the sockets of one turn are read into: chunks that are used again turn after turn, so that what the parser and
/// the core touch is warm, and ten thousand idle connections hold no buffer.
@safe struct TurnArena: ~Copyable {
    private var chunks: [UnsafeMutableRawPointer] = unsafe []
    private var chunk = 0
    private var used = 0

    /// Bytes of a chunk.
    static let chunkBytes = 1 << 20
    /// Bytes offered to one read.
    static let readBytes = 64 << 10
    /// Chunks kept between turns.
    private static let keptChunks = 4

    init() {}

    deinit { for index in unsafe chunks.indices { unsafe chunks[index].deallocate() } }

    /// Lends room for one read; the body says how many bytes it filled. The view is valid until `removeAll`.
    @inline(__always)
    mutating func read(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> ByteView {
        if unsafe chunk < chunks.count, used + Self.readBytes > Self.chunkBytes {
            chunk += 1
            used = 0
        }
        if unsafe chunk == chunks.count {
            unsafe chunks.append(.allocate(byteCount: Self.chunkBytes, alignment: 64))
        }
        let room = unsafe UnsafeMutableRawBufferPointer(start: chunks[chunk] + used, count: Self.readBytes)
        let filled = unsafe body(room)
        precondition(filled >= 0 && filled <= Self.readBytes)
        let view = unsafe ByteView(UnsafeRawBufferPointer(start: room.baseAddress, count: filled))
        used += (filled + 63) & ~63
        return view
    }

    /// Forgets the turn's bytes.
    @inline(__always)
    mutating func removeAll() {
        chunk = 0
        used = 0
        while unsafe chunks.count > Self.keptChunks {
            if let last = unsafe chunks.popLast() { unsafe last.deallocate() }
        }
    }
}
