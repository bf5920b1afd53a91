#include "session_table.h"

#include <span>
#include <utility>

namespace sluice::ice_lite {
namespace {

std::uint64_t hash_of(const dtls::crypto::KeyedHash& keyed, std::string_view ufrag) {
  return keyed(std::as_bytes(std::span(ufrag)));
}

}  // namespace

SlotNumber SessionTable::add(const dtls::crypto::KeyedHash& keyed,
                             transport::MediaTransport transport, LocalCredentials credentials) {
  const SlotNumber number = slots_.take();
  ufrags_.insert(hash_of(keyed, credentials.ufrag), number);
  Session& session = (*this)[number];
  session.transport.emplace(std::move(transport));
  session.credentials.emplace(std::move(credentials));
  ++size_;
  return number;
}

void SessionTable::end(const dtls::crypto::KeyedHash& keyed, SlotNumber number) {
  Session& session = (*this)[number];
  if (session.has_ended) return;
  forget(keyed, number, *session.credentials);
  if (session.newer) forget(keyed, number, *session.newer);
  session.has_ended = true;
  --size_;
}

void SessionTable::reserve(std::size_t count) {
  slots_.reserve(count);
  ufrags_.reserve(count);
}

SlotNumber SessionTable::find(SessionHandle handle) const {
  const SlotNumber number = slot_of(handle);
  if (!slots_.is_present(handle)) return kNoSlot;
  const Session& session = (*this)[number];
  return session.transport.has_value() && !session.has_ended ? number : kNoSlot;
}

SlotNumber SessionTable::find_ufrag(const dtls::crypto::KeyedHash& keyed,
                                    std::string_view ufrag) const {
  return ufrags_.find(hash_of(keyed, ufrag), [&](SlotNumber number) {
    const Session& session = (*this)[number];
    return session.credentials->ufrag == ufrag || session.newest().ufrag == ufrag;
  });
}

void SessionTable::begin_restart(const dtls::crypto::KeyedHash& keyed, SlotNumber number,
                                 LocalCredentials newer) {
  Session& session = (*this)[number];
  if (session.newer) forget(keyed, number, *session.newer);
  session.newest_generation = newer.generation;
  ufrags_.insert(hash_of(keyed, newer.ufrag), number);
  session.newer = std::make_unique<LocalCredentials>(std::move(newer));
}

void SessionTable::end_restart(const dtls::crypto::KeyedHash& keyed, SlotNumber number) {
  Session& session = (*this)[number];
  forget(keyed, number, *session.credentials);
  session.credentials.emplace(std::move(*session.newer));
  session.newer.reset();
}

void SessionTable::forget(const dtls::crypto::KeyedHash& keyed, SlotNumber number,
                          const LocalCredentials& credentials) {
  ufrags_.erase(hash_of(keyed, credentials.ufrag), number);
}

}  // namespace sluice::ice_lite
