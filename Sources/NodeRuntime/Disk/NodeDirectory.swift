internal import CSystemCalls
public import ClusterModel
internal import Foundation
internal import Glibc

/// A datasrv's directory: who it is, its lock, and where everything lies.
///
/// ```
/// DIR/identity      JSON: store uuid, log uuid, cluster uuid once known, boots, starts, how it is synced
/// DIR/lock          flock of the process that has it open
/// DIR/reserve       blocks given back when the disk is full, so that deletes still work
/// DIR/suspect       why a sync failed, if one did: the node does not start until somebody looked
/// DIR/log/          segments of the node log
/// DIR/stores/       one LevelDB per shard store
/// ```
public final class NodeDirectory: @unchecked Sendable {
    /// What `identity` holds.
    public struct Identity: Codable, Sendable {
        /// Drawn when the directory was first used; the node's identity (RULES H1).
        public var store: UniqueID
        /// Names the log's batches, so that another log's bytes never pass for them.
        public var log: UniqueID
        public var cluster: UniqueID?
        /// How often it was opened.
        public var boots: UInt64
        /// The starts it has seen, this one last, from the last one on that is known to be registered: by them an older
        /// directory is told (RULES H1). Nil = none yet.
        public var starts: [BootNonce]?
        /// The last start acknowledged what it had not synced (`--sync interval` and `never`), and has not stopped cleanly
        /// so far. Nil = not so.
        public var mayLack: Bool?
        /// The cluster's name of the node: `--id`.
        public var node: NodeID
    }

    public let path: String
    public private(set) var identity: Identity
    /// This start.
    public let boot: BootNonce
    /// What the metadata group is to be told of the starts; nil = they were not kept so far.
    public let starts: [BootNonce]?
    /// Whether the directory was made by this start.
    public let isNew: Bool
    private let lock: Int32

    /// Opens or makes the directory for a node.
    /// - Parameter sync: when what this start acknowledges will be durable.
    public init(path: String, node: NodeID, sync: SyncMode = .always) throws(DiskError) {
        try Files.makeDirectory(path)
        self.path = path
        boot = BootNonce(rawValue: .random(in: 1...(.max)))
        lock = unsafe open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw DiskError("cannot open", path + "/lock") }
        // A process that has just ended, or a child it was about to start, may hold the lock for a moment longer.
        var tries = 40
        while ostraka_lock(lock) != 0, tries > 0 {
            _ = usleep(25_000)
            tries -= 1
        }
        guard ostraka_lock(lock) == 0 else {
            close(lock)
            throw DiskError("another process uses \(path): stop it first, or give this node a --dir of its own")
        }
        if Files.exists(path + "/suspect") {
            let why = String(decoding: (try? Files.read(path + "/suspect")) ?? [], as: UTF8.self)
            close(lock)
            throw DiskError(
                "\(path) is suspect since a write to it failed (\(why)): check the disk, then remove \(path)/suspect")
        }
        DiskReserve.prepare(path)
        let file = path + "/identity"
        if Files.exists(file) {
            isNew = false
            let bytes = try Files.read(file)
            guard let found = try? JSONDecoder().decode(Identity.self, from: Data(bytes)) else {
                close(lock)
                throw DiskError("\(file) is damaged: restore it, or start with an empty --dir and retire this node")
            }
            identity = found
            guard found.node == node else {
                close(lock)
                throw DiskError("\(path) belongs to node '\(found.node)', not to '\(node)': check --id and --dir")
            }
        } else {
            isNew = true
            let names = try Files.names(in: path).filter {
                // The root of a file system of its own has lost+found.
                $0 != "lock" && $0 != "lost+found" && !$0.hasSuffix(".tmp")
            }
            guard names.isEmpty else {
                close(lock)
                throw DiskError("\(path) holds other files (\(names[0])) and no identity: give an empty --dir")
            }
            identity = Identity(store: Self.draw(), log: Self.draw(), cluster: nil, boots: 0, node: node)
        }
        identity.boots += 1
        // One that may lack what the last start acknowledged is as good as an older one: it learns from the others
        // (RULES C16).
        if identity.mayLack == true { identity.starts = [] }
        // A directory of a version that did not keep them does not know which start was registered.
        let knowsStarts = identity.starts != nil || identity.boots == 1
        var starts = (identity.starts ?? []) + [boot]
        // The first one is the one that was registered.
        if starts.count > Self.startsKept { starts.remove(at: 1) }
        identity.starts = starts
        self.starts = knowsStarts ? starts : nil
        identity.mayLack = sync == .always ? nil : true
        // The identity comes first: a directory that holds anything else without one is somebody else's.
        try save()
        try Files.makeDirectory(path + "/log")
        try Files.makeDirectory(path + "/stores")
        try Files.syncDirectory(path)
        if isNew { try Files.syncDirectory(path + "/..") }
    }

    deinit { close(lock) }

    public var logPath: String { path + "/log" }
    public var storesPath: String { path + "/stores" }

    /// Binds the directory to a cluster. Another one than before is refused.
    public func join(_ cluster: UniqueID) throws(DiskError) {
        if let known = identity.cluster {
            guard known == cluster else {
                throw DiskError("\(path) belongs to cluster \(known), metasrv to \(cluster): check --meta and --dir")
            }
            return
        }
        identity.cluster = cluster
        try save()
    }

    /// This start is registered, so that those before it tell nothing any more. What cannot be written is told once more.
    func forgetFormerStarts() {
        guard identity.starts != [boot] else { return }
        identity.starts = [boot]
        try? save()
    }

    /// All that was acknowledged is durable, and nothing more will be.
    func noteCleanStop() throws(DiskError) {
        guard identity.mayLack != nil else { return }
        identity.mayLack = nil
        try save()
    }

    /// Starts without ever reaching a metasrv that are told apart.
    private static let startsKept = 256

    private func save() throws(DiskError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        guard let data = try? encoder.encode(identity) else { throw DiskError("cannot encode \(path)/identity") }
        try Files.replace(path + "/identity", with: Array(data) + [10])
    }

    /// Marks the directory: what LevelDB or the log say of it may not be what is on disk (RULES E2, E6).
    func markSuspect(_ reason: String) {
        try? Files.replace(path + "/suspect", with: Array(reason.utf8))
    }

    private static func draw() -> UniqueID {
        UniqueID(high: UInt64.random(in: 1...(.max)), low: UInt64.random(in: 1...(.max)))
    }
}
