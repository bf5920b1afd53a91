// Datagrams into a record layer that has keys. What nobody sealed is never taken for encrypted; a
// sealed record is taken once and only as it was.
#include <set>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "record/record_layer.h"
#include "support/endpoints.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using record::RecordLayer;

record::ProtectionKey12 key() {
  static const Buffer kBytes(16, std::byte{0x3c});
  static const Buffer kSalt(4, std::byte{0x5a});
  return {crypto::AeadAlgorithm::aes_128_gcm, kBytes, kSalt};
}

class Target {
 public:
  Target(bool has_keys, bool reads_plaintext, std::size_t id_size) {
    crypto::Library& library = test::environment().library();
    if (has_keys) records_.add_reader12(test::must(record::Opener12::make(library, key())));
    if (!reads_plaintext) records_.stop_reading_plaintext();
    sender_.add_writer12(test::must(record::Sealer12::make(library, key())));
    sender_.set_version(ProtocolVersion::dtls12);
    if (id_size == 0) return;
    const Buffer id(id_size, std::byte{0x1d});
    records_.set_connection_ids(id, {});
    sender_.set_connection_ids({}, id);
  }

  // How many encrypted records were taken of a datagram.
  int take(Buffer datagram) {
    int encrypted = 0;
    records_.begin_datagram();
    for (MutableBytes rest(datagram); !rest.empty();) {
      const std::size_t before = rest.size();
      const auto taken = records_.take(rest);
      SLUICE_CHECK(rest.size() < before);
      const auto* record = std::get_if<record::Record>(&taken);
      if (record == nullptr) continue;
      SLUICE_CHECK(record->contents.empty() || (record->contents.data() >= datagram.data() &&
                                                record->contents.data() + record->contents.size() <=
                                                    datagram.data() + datagram.size()));
      SLUICE_CHECK(record->contents.size() <= record::kMaxPlaintext);
      if (record->epoch != wire::kPlaintextEpoch) ++encrypted;
    }
    return encrypted;
  }

  // The next record of a genuine peer.
  Buffer seal(Bytes contents) {
    Buffer out(contents.size() + sender_.size_of(wire::kFirstEncryptedEpoch12).overhead());
    const auto size = sender_.seal(wire::kFirstEncryptedEpoch12,
                                   wire::ContentType::application_data, contents, out);
    SLUICE_CHECK(size);
    out.resize(*size);
    return out;
  }

 private:
  RecordLayer records_;
  RecordLayer sender_;
};

void run(wire::Reader input) {
  const unsigned flags = input.u8();
  const bool has_keys = (flags & 1) != 0;
  Target target(has_keys, (flags & 2) != 0, flags >> 2);
  while (input.more()) {
    const unsigned step = input.u8();
    const std::size_t size = input.u16() % 2048;
    Buffer bytes = take(input, size);
    if (step % 4 != 0) {
      SLUICE_CHECK(target.take(std::move(bytes)) == 0);
      continue;
    }
    const Buffer sealed = target.seal(bytes);
    const std::size_t at = input.u16() % sealed.size();
    const auto flip = static_cast<std::byte>(input.u8());
    Buffer changed = sealed;
    changed[at] ^= flip;
    const int expected = has_keys ? 1 : 0;
    if (flip != std::byte{0}) SLUICE_CHECK(target.take(changed) == 0);
    SLUICE_CHECK(target.take(sealed) == expected);
    SLUICE_CHECK(target.take(sealed) == 0);
  }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(sluice::dtls::wire::Reader(sluice::fuzz::bytes_of(data, size)));
  return 0;
}
