// An ICE connectivity check and the response of an ICE-lite server to it.
#include <sluice/stun/message.h>
#include <sluice/stun/writer.h>

#include <array>
#include <iostream>

namespace dtls = sluice::dtls;
namespace stun = sluice::stun;

// The size of the response to a check that came from `source`; 0: none.
static std::size_t answer_check(dtls::Bytes datagram, const dtls::UdpEndpoint& source,
                                dtls::Environment& environment, const stun::IntegrityKey& key,
                                dtls::MutableBytes out) {
  const auto check = stun::decode(datagram);
  if (!check || check->message_class != stun::MessageClass::request ||
      check->method != stun::Method::binding || !check->has_fingerprint) {
    return 0;
  }
  if (!stun::verify_integrity(*check, environment, key)) return 0;
  const bool is_known = check->unknown.empty();
  stun::Writer response(
      out, is_known ? stun::MessageClass::success_response : stun::MessageClass::error_response,
      check->method, check->transaction);
  if (is_known) {
    response.xor_mapped_address(source);
  } else {
    response.error_code(420, "Unknown Attribute");
    response.unknown_attributes(check->unknown);
  }
  return response.finish(environment, key).value_or(0);
}

int main() {
  dtls::Environment environment = dtls::Environment::make().value();
  // The server's a=ice-pwd: both the check and its response are authenticated with it.
  const auto key = stun::IntegrityKey::make(environment, "VOkJxbRl1RmTxUk/WvJxBt").value();

  std::array<std::byte, 256> check{};
  stun::Writer request(check, stun::MessageClass::request, stun::Method::binding,
                       stun::TransactionId{});  // yours is random
  request.username("evtj:h6vY");                // the server's a=ice-ufrag, then yours
  request.priority(0x6e0001ff);
  request.ice_controlling(0x932ff9b151263b36);
  request.use_candidate();
  const std::size_t size = request.finish(environment, key).value();

  const dtls::UdpEndpoint source{dtls::Ipv4Address{192, 0, 2, 1}, 32853};
  std::array<std::byte, 256> response{};
  const std::size_t answered =
      answer_check(dtls::Bytes(check).first(size), source, environment, key, response);

  const auto message = stun::decode(dtls::Bytes(response).first(answered));
  if (!message || !stun::verify_integrity(*message, environment, key)) return 1;
  std::cout << size << " bytes, answered with " << answered << '\n';
  return message->xor_mapped_address == source ? 0 : 1;
}
