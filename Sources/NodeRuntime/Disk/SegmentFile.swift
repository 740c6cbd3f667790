internal import CSystemCalls
internal import ClusterModel
internal import DataCore
internal import Glibc

/// One segment of the node log: a file whose size is final before the first batch, so that a sync writes no metadata.
final class SegmentFile {
    let generation: UInt64
    let path: String
    let size: Int
    private let descriptor: Int32

    /// Makes a segment: allocated, header written, file and directory synced. A recycled file's old bytes are of another
    /// generation and never parse as this one's.
    init(directory: String, log: UniqueID, generation: UInt64, size: Int, recycled: String?) throws(DiskError) {
        self.generation = generation
        self.size = size
        path = "\(directory)/\(Self.name(generation))"
        if let recycled, unsafe rename(recycled, path) != 0 { throw DiskError("cannot rename to", path) }
        descriptor = try Self.allocate(path, size: size)
        let header = SegmentHeader(log: log, generation: generation, size: UInt64(size)).block
        try header.withByteView { (view) throws(DiskError) in
            try Files.write(view, to: descriptor, at: 0, path: path)
        }
        try Files.sync(descriptor, path)
        try Files.syncDirectory(directory)
    }

    /// Opens or makes a file of that size, all of whose blocks there are.
    private static func allocate(_ path: String, size: Int) throws(DiskError) -> Int32 {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError("cannot create", path) }
        let code = ostraka_fallocate(descriptor, 0, Int64(size))
        if code < 0 {
            close(descriptor)
            throw DiskError("cannot allocate \(size) bytes for", path, code: -code)
        }
        return descriptor
    }

    /// Makes a file of zeros to be recycled as a segment.
    static func makeSpare(_ path: String, size: Int) throws(DiskError) {
        let descriptor = try allocate(path, size: size)
        defer { close(descriptor) }
        try fill(descriptor, path, from: 0, to: size)
    }

    /// Writes zeros and syncs.
    private static func fill(_ descriptor: Int32, _ path: String, from start: Int, to end: Int) throws(DiskError) {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for offset in stride(from: start, to: end, by: zeros.count) {
            try zeros.withByteView { (view) throws(DiskError) in
                try Files.write(view[0..<min(zeros.count, end - offset)], to: descriptor, at: offset, path: path)
            }
        }
        try Files.sync(descriptor, path)
    }

    deinit { close(descriptor) }

    func write(_ bytes: ByteView, at offset: UInt64) throws(DiskError) {
        try Files.write(bytes, to: descriptor, at: Int(offset), path: path)
    }

    func sync() throws(DiskError) {
        let code = ostraka_fdatasync(descriptor)
        if code < 0 { throw DiskError(unsynced: path, code: -code) }
    }

    /// Writes a part of a segment's file over itself, and makes it durable: a sync alone writes only what the system holds to
    /// be unwritten.
    static func rewrite(_ path: String, from start: Int, to end: Int) throws(DiskError) {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("cannot open", path) }
        defer { close(descriptor) }
        let bytes = try Files.read(path, from: start, count: end - start)
        guard bytes.count == end - start else { throw DiskError("\(path) is shorter than it was just now") }
        try bytes.withByteView { (view) throws(DiskError) in
            try Files.write(view, to: descriptor, at: start, path: path)
        }
        try Files.sync(descriptor, path)
    }

    /// Overwrites a segment from a place to its end with zeros, and syncs it.
    static func zero(_ path: String, from start: Int) throws(DiskError) {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("cannot open", path) }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        try fill(descriptor, path, from: start, to: size)
    }

    /// 16 hexadecimal digits and `.seg`, so that names sort as generations do.
    static func name(_ generation: UInt64) -> String {
        let digits = String(generation, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".seg"
    }

    static func generation(of name: String) -> UInt64? {
        guard name.hasSuffix(".seg"), name.utf8.count == 20 else { return nil }
        return UInt64(name.dropLast(4), radix: 16)
    }
}
