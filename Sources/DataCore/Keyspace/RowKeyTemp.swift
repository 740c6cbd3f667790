enum RowKey { static let dataKind: UInt8 = 1 }
import ClusterModel
enum Glob { static func matches(_ a: ByteView, _ b: ByteView) -> Bool { true } }
extension ShardConfiguration { init?(decoding: ByteView) { return nil } }
