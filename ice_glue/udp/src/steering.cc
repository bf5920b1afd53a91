#include <sluice/udp/steering.h>

#include <linux/filter.h>

#include <array>

#include <sluice/dtls/routable_connection_id.h>

#include "failure.h"

namespace sluice::udp {
namespace {

// Of a tls12_cid record (RFC 9146 section 4): the content type, and the bytes before the ID.
constexpr unsigned kTls12Cid = 25;
constexpr unsigned kIdOffset12 = 11;
// Of a DTLS 1.3 ciphertext (RFC 9147 section 4), whose first byte is 0 0 1 C S L E E.
constexpr unsigned kFixedAndCid = 0xf0;
constexpr unsigned kCiphertextWithCid = 0x30;
constexpr unsigned kIdOffset13 = 1;
constexpr unsigned kWorkerBits = dtls::kMaxRoutableWorkers - 1;
constexpr unsigned kNoSocket = 0xffffffff;

constexpr sock_filter load_size() { return BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0); }
constexpr sock_filter load_byte(unsigned offset) {
  return BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offset);
}
constexpr sock_filter keep_bits(unsigned bits) { return BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits); }
// Both skip this many instructions where the condition does not hold.
constexpr sock_filter unless_at_least(unsigned value, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 0, skip);
}
constexpr sock_filter unless_equal(unsigned value, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}
constexpr sock_filter skip(unsigned count) { return BPF_STMT(BPF_JMP | BPF_JA, count); }
constexpr sock_filter give(unsigned value) { return BPF_STMT(BPF_RET | BPF_K, value); }
constexpr sock_filter give_loaded() { return BPF_STMT(BPF_RET | BPF_A, 0); }

// Returns the worker, or a number that no socket has.
//
// Offsets are from the start of the UDP payload. To load a byte beyond the end would end the
// program with 0, the first socket, so the size is checked before.
constexpr std::array kSteering{
    load_size(),                           //  0
    unless_at_least(kIdOffset13 + 1, 11),  //  1: else 13
    load_byte(0),                          //  2
    unless_equal(kTls12Cid, 4),            //  3: else 8
    load_size(),                           //  4
    unless_at_least(kIdOffset12 + 1, 7),   //  5: else 13
    load_byte(kIdOffset12),                //  6
    skip(3),                               //  7: go to 11
    keep_bits(kFixedAndCid),               //  8
    unless_equal(kCiphertextWithCid, 3),   //  9: else 13
    load_byte(kIdOffset13),                // 10
    keep_bits(kWorkerBits),                // 11
    give_loaded(),                         // 12
    give(kNoSocket),                       // 13
};

}  // namespace

tl::expected<void, std::string> steer_by_connection_id(const Socket& socket) {
  auto program = kSteering;
  const sock_fprog attached{.len = program.size(), .filter = program.data()};
  if (setsockopt(socket.descriptor(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached,
                 sizeof attached) != 0) {
    return failure("SO_ATTACH_REUSEPORT_CBPF");
  }
  return {};
}

}  // namespace sluice::udp
