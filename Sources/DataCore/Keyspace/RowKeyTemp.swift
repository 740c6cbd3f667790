import ClusterModel
enum RowKey { static let dataKind: UInt8 = 1 }
enum Glob { static func matches(_ a: ByteView, _ b: ByteView) -> Bool { true } }
