/// A growable block of bytes that its owner reuses: receive buffers, reply arenas, frames.
///
/// One allocation that doubles; `removeAll` keeps it, `shrink` gives back what a rare large use left. Memory follows the
/// bytes appended, never what a peer declared.
@safe public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    public private(set) var count: Int
    public private(set) var capacity: Int

    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        unsafe base = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity)
        count = 0
    }

    deinit { unsafe base.deallocate() }

    @inline(__always) public var isEmpty: Bool { count == 0 }
    /// Everything in the buffer; valid until the next change.
    @inline(__always) public var view: ByteView { unsafe ByteView(base: UnsafePointer(base), count: count) }

    @inline(__always) public mutating func reserve(_ extra: Int) {
        if count + extra > capacity { grow(to: count + extra) }
    }

    @inline(never) private mutating func grow(to needed: Int) {
        let wanted = max(needed, capacity * 2)
        let bigger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        unsafe bigger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = bigger
        capacity = wanted
    }

    @inline(__always) public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count += 1
    }

    @inline(__always) public mutating func append(_ view: ByteView) {
        guard let source = unsafe view.base else { return }
        reserve(view.count)
        unsafe (base + count).update(from: source, count: view.count)
        count += view.count
    }

    @inline(__always) public mutating func append(_ text: StaticString) { append(ByteView(text)) }

    public mutating func append(_ bytes: [UInt8]) { bytes.withByteView { append($0) } }

    public mutating func append(text: String) {
        var copy = text
        copy.withUTF8 { append(unsafe ByteView($0)) }
    }

    /// Little-endian bytes of an integer.
    @inline(__always) public mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        let size = MemoryLayout<Number>.size
        reserve(size)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: number.littleEndian, as: Number.self)
        count += size
    }

    /// Decimal digits of an integer.
    @inline(__always) public mutating func append(decimal number: Int64) {
        reserve(20)
        var magnitude = number.magnitude
        if number < 0 {
            unsafe base[count] = 0x2D
            count += 1
        }
        var digits = 1
        var bound: UInt64 = 10
        while magnitude >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var position = count + digits
        count = position
        repeat {
            position -= 1
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
            unsafe base[position] = 48 &+ UInt8(truncatingIfNeeded: remainder)
            magnitude = quotient
        } while magnitude > 0
    }

    /// Lends room for at least `size` bytes to a reader, which says how many it filled.
    @inline(__always)
    public mutating func fill(atLeast size: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        reserve(size)
        let room = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
        let filled = unsafe read(room)
        if filled > 0 {
            precondition(filled <= capacity - count)
            count += filled
        }
        return filled
    }

    /// Overwrites bytes that are there. - Precondition: `offset + bytes <= count`.
    @inline(__always) public mutating func replace<Number: FixedWidthInteger>(
        at offset: Int, littleEndian number: Number
    ) {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count)
        unsafe UnsafeMutableRawPointer(base + offset).storeBytes(of: number.littleEndian, as: Number.self)
    }

    /// Cuts the end off. - Precondition: `0 <= size <= count`.
    @inline(__always) public mutating func truncate(to size: Int) {
        precondition(size >= 0 && size <= count)
        count = size
    }

    /// Drops bytes from the front; what is left moves down. - Precondition: `0 <= size <= count`.
    @inline(__always) public mutating func dropFirst(_ size: Int) {
        precondition(size >= 0 && size <= count)
        if size == count {
            count = 0
        } else if size > 0 {
            unsafe base.update(from: base + size, count: count - size)
            count -= size
        }
    }

    @inline(__always) public mutating func removeAll() { count = 0 }

    /// Gives memory back when the buffer is empty and larger than `limit` bytes.
    public mutating func shrink(above limit: Int) {
        guard count == 0, capacity > limit else { return }
        unsafe base.deallocate()
        capacity = 256
        unsafe base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    }
}
