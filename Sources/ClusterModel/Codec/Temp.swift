extension ShardConfiguration { public func encode(into buffer: inout ByteBuffer) {} }
