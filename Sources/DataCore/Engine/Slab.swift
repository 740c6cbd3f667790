/// A growable array of non-copyable elements that are changed in place, without reference counts or exclusivity checks.
@safe struct Slab<Element: ~Copyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity = 16

    init() { unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: 16) }

    deinit {
        unsafe base.deinitialize(count: count)
        unsafe base.deallocate()
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity {
            let bigger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
            unsafe bigger.moveInitialize(from: base, count: count)
            unsafe base.deallocate()
            unsafe base = bigger
            capacity *= 2
        }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    var indices: Range<Int> { 0..<count }

    /// - Precondition: `0 <= index < count`.
    @inline(__always) subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(base + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe base + index
        }
    }

    /// Address of an element, valid until the next `append`. - Precondition: `0 <= index < count`.
    @inline(__always) func address(_ index: Int) -> UnsafeMutablePointer<Element> {
        precondition(index >= 0 && index < count)
        return unsafe base + index
    }
}
