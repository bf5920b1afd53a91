// Every encoder. The first byte chooses one; the rest are the sizes of its fields, 3 bytes each, or
// an encoding whose value is encoded again. The decoder must give back what was encoded, or the
// encoder must refuse it.
#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "message/ack.h"
#include "message/application_protocols.h"
#include "message/certificate12.h"
#include "message/certificate13.h"
#include "message/certificate_criteria.h"
#include "message/certificate_types.h"
#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "message/key_share.h"
#include "message/new_session_ticket13.h"
#include "message/pre_shared_key.h"
#include "message/server_hello.h"
#include "message/server_name.h"
#include "negotiation/stored_session.h"
#include "support/encodings.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using namespace dtls::message;
using wire::ExtensionType;
using wire::Writer;

// ---- values of any size

constexpr std::uint64_t kMaxSize = 0x10000;

void sizes(const test::Encoding& encoding, wire::Reader& input) {
  std::vector<std::uint64_t> sizes;
  for (const std::uint64_t maximum : encoding.maxima) {
    // Near the maximum, or near 0: the input's highest bit says which. No field is larger than one
    // more than its maximum, which bounds the memory. Fields of megabytes would take all the time;
    // encodings_test has them.
    const std::uint32_t number = input.u24();
    const bool is_large = (number & 0x800000) != 0 && maximum <= kMaxSize;
    const std::uint64_t wanted = number & 0x7fffffU;
    const std::uint64_t offset = std::min({wanted, maximum, kMaxSize});
    sizes.push_back(is_large ? maximum + 1 - offset : offset);
  }
  const auto expected =
      encoding.fits(sizes) ? test::EncodingOutcome::same : test::EncodingOutcome::refused;
  SLUICE_CHECK(encoding.attempt(sizes) == expected);
}

// ---- values out of a decoder, encoded and decoded again

std::vector<Buffer> copies_of(const std::vector<Bytes>& parts) {
  std::vector<Buffer> copies;
  for (const Bytes part : parts) copies.push_back(test::copy_of(part));
  return copies;
}

void put_block(Writer& out, const ExtensionBlock& block) {
  block.all_of([&](const ExtensionBlock::Extension& extension) {
    put_extension(out, extension.type, [&](Writer& data) { data.bytes(extension.data); });
    return true;
  });
}
Buffer encoding_of(const ExtensionBlock& block) {
  return wire::encoded([&](Writer& out) { put_block(out, block); }).value();
}

void client_hello(const Buffer& body) {
  const auto hello = ClientHello::decode(body);
  if (!hello) return;
  const auto again = wire::encoded([&](Writer& out) {
    put_client_hello(out, hello->random, hello->session_id, hello->cookie, hello->cipher_suites,
                     [&](Writer& inside) { put_block(inside, hello->extensions); });
  });
  const auto twin = ClientHello::decode(again.value());
  SLUICE_CHECK(twin && twin->random == hello->random);
  SLUICE_CHECK(std::ranges::equal(twin->session_id, hello->session_id));
  SLUICE_CHECK(std::ranges::equal(twin->cookie, hello->cookie));
  SLUICE_CHECK(std::ranges::equal(twin->cipher_suites, hello->cipher_suites));
  SLUICE_CHECK(encoding_of(twin->extensions) == encoding_of(hello->extensions));
}

void server_hello(const Buffer& body) {
  const auto hello = ServerHello::decode(body);
  if (!hello) return;
  const auto again = wire::encoded([&](Writer& out) {
    put_server_hello(out, hello->random, hello->session_id, hello->cipher_suite,
                     [&](Writer& inside) { put_block(inside, hello->extensions); });
  });
  const auto twin = ServerHello::decode(again.value());
  SLUICE_CHECK(twin && twin->random == hello->random);
  SLUICE_CHECK(twin->cipher_suite == hello->cipher_suite);
  SLUICE_CHECK(std::ranges::equal(twin->session_id, hello->session_id));
  SLUICE_CHECK(encoding_of(twin->extensions) == encoding_of(hello->extensions));
}

template <class Certificate, auto Put>
void certificate(const Buffer& body) {
  const auto decoded = Certificate::decode(body);
  if (!decoded) return;
  const auto chain = copies_of(decoded->chain);
  const auto again = wire::encoded([&](Writer& out) { Put(out, chain); });
  const auto twin = Certificate::decode(again.value());
  SLUICE_CHECK(twin && copies_of(twin->chain) == chain);
}

void certificate_request(const Buffer& body) {
  if (const auto request = CertificateRequest12::decode(body)) {
    const auto names = copies_of(request->authorities);
    const auto again = wire::encoded(
        [&](Writer& out) { put_certificate_request12(out, request->schemes, names); });
    const auto twin = CertificateRequest12::decode(again.value());
    SLUICE_CHECK(twin && copies_of(twin->authorities) == names);
    SLUICE_CHECK(std::ranges::equal(twin->schemes, request->schemes));
  }
  const auto request = CertificateRequest13::decode(body);
  const auto criteria = request ? criteria_of(request->extensions) : std::nullopt;
  if (!criteria || criteria->schemes.empty()) return;
  const auto names = copies_of(criteria->authorities);
  const auto again = wire::encoded([&](Writer& out) {
    put_certificate_request13(out, criteria->schemes, criteria->chain_schemes, names);
  });
  const auto decoded = CertificateRequest13::decode(again.value());
  const auto twin = decoded ? criteria_of(decoded->extensions) : std::nullopt;
  SLUICE_CHECK(twin && copies_of(twin->authorities) == names);
  SLUICE_CHECK(std::ranges::equal(twin->schemes, criteria->schemes));
  SLUICE_CHECK(std::ranges::equal(twin->chain_schemes, criteria->chain_schemes));
}

void new_session_ticket(const Buffer& body) {
  const auto message = NewSessionTicket13::decode(body);
  if (!message) return;
  const auto again = wire::encoded([&](Writer& out) { put_new_session_ticket13(out, *message); });
  const auto twin = NewSessionTicket13::decode(again.value());
  SLUICE_CHECK(twin && twin->lifetime == message->lifetime && twin->age_add == message->age_add);
  SLUICE_CHECK(std::ranges::equal(twin->nonce, message->nonce));
  SLUICE_CHECK(std::ranges::equal(twin->ticket, message->ticket));
}

void ack(const Buffer& body) {
  const auto numbers = decode_ack(body);
  if (!numbers) return;
  const auto again = wire::encoded([&](Writer& out) { put_ack(out, *numbers); });
  SLUICE_CHECK(again == body);
}

// The data of the extension that `put` writes.
template <class Put>
Buffer data_by(Put put) {
  const Buffer encoding = wire::encoded(put).value();
  wire::Reader reader(encoding);
  reader.code<ExtensionType>();
  return test::copy_of(reader.vector16());
}

void names(const Buffer& data) {
  if (data.size() > UINT16_MAX) return;  // of no extension
  if (const auto name = decode_server_name(data)) {
    SLUICE_CHECK(data_by([&](Writer& out) { put_server_name(out, *name); }) == data);
  }
  if (const auto protocols = decode_application_protocols(data)) {
    const std::vector<std::string> copies(protocols->begin(), protocols->end());
    SLUICE_CHECK(data_by([&](Writer& out) { put_application_protocols(out, copies); }) == data);
  }
  if (const auto list = decode_code_list<NamedGroup>(data, ListWidth::two)) {
    SLUICE_CHECK(data_by([&](Writer& out) {
                   put_code_list_extension(out, ExtensionType::supported_groups, *list);
                 }) == data);
  }
  constexpr auto kTypes = ExtensionType::client_certificate_type;
  if (const auto list = decode_certificate_types(data)) {
    std::vector<CertificateType> types;
    for (const std::byte type : *list) types.push_back(static_cast<CertificateType>(type));
    SLUICE_CHECK(data_by([&](Writer& out) { put_certificate_types(out, kTypes, types); }) == data);
  }
  if (const auto type = decode_certificate_type(data)) {
    SLUICE_CHECK(data_by([&](Writer& out) { put_certificate_type(out, kTypes, *type); }) == data);
  }
  if (const auto share = decode_server_share(data)) {
    SLUICE_CHECK(wire::encoded([&](Writer& out) { put_share(out, *share); }) == data);
  }
}

// Identities above kMaxIdentities are dropped, and the binders are zero.
void pre_shared_keys(const Buffer& data) {
  if (data.size() > UINT16_MAX) return;
  const auto offered = OfferedPsks::decode(data);
  if (!offered) return;
  std::vector<std::size_t> binders;
  for (const Bytes binder : offered->binders) binders.push_back(binder.size());
  const Buffer again =
      data_by([&](Writer& out) { put_offered_psks(out, offered->identities, binders); });
  const auto twin = OfferedPsks::decode(again);
  SLUICE_CHECK(twin && twin->identities.size() == offered->identities.size());
  for (std::size_t i = 0; i < binders.size(); ++i) {
    const auto& [identity, age] = offered->identities[i];
    SLUICE_CHECK(std::ranges::equal(twin->identities[i].identity, identity));
    SLUICE_CHECK(twin->identities[i].obfuscated_ticket_age == age);
    SLUICE_CHECK(twin->binders[i].size() == binders[i]);
  }
}

void stored_session(const Buffer& bytes) {
  const auto session = handshake::StoredSession::decode(bytes);
  if (!session) return;
  SLUICE_CHECK(session->is_sound());
  SLUICE_CHECK(session->encode() == bytes);
  SLUICE_CHECK(session->clone().encode() == bytes);
  SLUICE_CHECK(session->expires() > session->issued);
}

constexpr std::array kCodecs{client_hello,
                             server_hello,
                             certificate<Certificate12, put_certificate12>,
                             certificate<Certificate13, put_certificate13>,
                             certificate_request,
                             new_session_ticket,
                             ack,
                             names,
                             pre_shared_keys,
                             stored_session};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  if (size == 0) return 0;
  const auto messages = sluice::test::message_encodings();
  const auto stored = sluice::test::stored_encodings();
  const std::size_t choice = data[0] % (kCodecs.size() + messages.size() + stored.size());
  const sluice::dtls::Buffer input = sluice::test::copy_of(bytes_of(data + 1, size - 1));
  if (choice < kCodecs.size()) {
    kCodecs[choice](input);
    return 0;
  }
  sluice::dtls::wire::Reader reader(input);
  const std::size_t row = choice - kCodecs.size();
  sizes(row < messages.size() ? messages[row] : stored[row - messages.size()], reader);
  return 0;
}
