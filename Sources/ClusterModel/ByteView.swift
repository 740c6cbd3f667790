/// Bytes that someone else owns: a pointer and a count, valid for the step that was given them and no longer.
///
/// Arguments of commands are views into the receive buffers of their connections, so that nothing is copied between the
/// socket and the row table. What must outlive the step is copied out by `array` or into a log batch.
@safe public struct ByteView: @unchecked Sendable {
    /// First byte; nil only when `count` is 0.
    public let base: UnsafePointer<UInt8>?
    public let count: Int

    /// - Precondition: `count` bytes from `base` are readable while the view is used.
    @inline(__always) public init(base: UnsafePointer<UInt8>?, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always) public init(_ buffer: UnsafeBufferPointer<UInt8>) {
        unsafe self.init(base: buffer.baseAddress, count: buffer.count)
    }

    @inline(__always) public init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.init(base: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    }

    @inline(__always) public init(_ text: StaticString) {
        unsafe self.init(base: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    public static var empty: ByteView { unsafe ByteView(base: nil, count: 0) }

    @inline(__always) public var isEmpty: Bool { count == 0 }

    @inline(__always) public var buffer: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base, count: count)
    }

    @inline(__always) public var raw: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(buffer) }

    /// - Precondition: `0 <= index < count`.
    @inline(__always) public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return unsafe base.unsafelyUnwrapped[index]
    }

    /// The part `range`, cut to what there is.
    @inline(__always) public subscript(range: Range<Int>) -> ByteView {
        let low = min(max(range.lowerBound, 0), count)
        let high = min(max(range.upperBound, low), count)
        guard high > low, let base = unsafe base else { return .empty }
        return unsafe ByteView(base: base + low, count: high - low)
    }

    /// A copy that outlives the step.
    @inline(__always) public var array: [UInt8] { unsafe Array(buffer) }

    /// The bytes as text; what is not UTF-8 is repaired, so use this for messages alone.
    public var text: String { unsafe String(decoding: buffer, as: UTF8.self) }

    @inline(__always) public static func == (left: ByteView, right: ByteView) -> Bool {
        guard left.count == right.count else { return false }
        return left.matches(right)
    }

    @inline(__always) private func matches(_ other: ByteView) -> Bool {
        guard let mine = unsafe base, let theirs = unsafe other.base else { return true }
        let mineRaw = unsafe UnsafeRawPointer(mine)
        let theirsRaw = unsafe UnsafeRawPointer(theirs)
        var index = 0
        while index + 8 <= count {
            let left = unsafe mineRaw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let right = unsafe theirsRaw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if left != right { return false }
            index += 8
        }
        while index < count {
            if unsafe mine[index] != theirs[index] { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes equal ASCII text, letters in any case. `lower` must be in lower case.
    @inline(__always) public func equalsIgnoringCase(_ lower: StaticString) -> Bool {
        guard count == lower.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            var byte = self[index]
            if byte >= 65, byte <= 90 { byte += 32 }
            if unsafe byte != lower.utf8Start[index] { return false }
        }
        return true
    }

    /// Unsigned byte order, as LevelDB's default comparator has it.
    public func precedes(_ other: ByteView) -> Bool {
        unsafe buffer.lexicographicallyPrecedes(other.buffer)
    }
}

extension Array where Element == UInt8 {
    /// Lends the array's bytes as a view for the time of the call.
    @inline(__always)
    public func withByteView<Result, Failure: Error>(
        _ body: (ByteView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let count = count
        return try unsafe withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            try body(unsafe ByteView(base: buffer.baseAddress, count: count))
        }
    }
}
