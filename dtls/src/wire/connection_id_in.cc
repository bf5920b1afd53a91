#include <sluice/dtls/routable_connection_id.h>

namespace sluice::dtls {
namespace {

// RFC 9146 section 4: type, version, epoch and sequence number come before the ID.
constexpr std::byte kTls12CidType{25};
constexpr std::size_t kIdOffset12 = 1 + 2 + 8;
// RFC 9147 section 4: the first byte is 0 0 1 C S L E E.
constexpr std::byte kUnifiedMask{0xf0};
constexpr std::byte kUnifiedWithId{0x30};
constexpr std::size_t kIdOffset13 = 1;

}  // namespace

std::optional<Bytes> connection_id_in(Bytes datagram, std::size_t size) {
  if (datagram.empty() || size == 0 || size > kMaxConnectionId) return std::nullopt;
  const bool is_12 = datagram[0] == kTls12CidType;
  if (!is_12 && (datagram[0] & kUnifiedMask) != kUnifiedWithId) return std::nullopt;
  const std::size_t offset = is_12 ? kIdOffset12 : kIdOffset13;
  if (datagram.size() < offset + size) return std::nullopt;
  return datagram.subspan(offset, size);
}

}  // namespace sluice::dtls
