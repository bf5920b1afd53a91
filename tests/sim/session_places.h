// Where each session of a fleet is: in one place at any time.
#pragma once

#include <sluice/dtls/bytes.h>

#include <cstdint>
#include <map>
#include <string>

namespace sluice::test {

enum class Place : std::uint8_t {
  server0,
  server1,
  moving,  // a server has taken it out of its Endpoint or the store, and has not put it elsewhere
  store,
  lost,
};
inline constexpr std::size_t kPlaces = 5;

constexpr Place server_place(unsigned number) {
  return number == 0 ? Place::server0 : Place::server1;
}

// By their connection IDs, of which each has one.
class SessionPlaces {
 public:
  void begin(const dtls::Buffer& id, unsigned server) {
    if (!places_.emplace(id, server_place(server)).second) fail("two sessions have one ID");
  }
  void move(const dtls::Buffer& id, Place from, Place to) {
    const auto known = places_.find(id);
    if (known == places_.end()) return fail("a session that nobody has begun");
    if (known->second != from) {
      return fail("a session goes from " + std::to_string(static_cast<int>(from)) + " to " +
                  std::to_string(static_cast<int>(to)) + ", but is in " +
                  std::to_string(static_cast<int>(known->second)));
    }
    known->second = to;
  }
  [[nodiscard]] Place of(const dtls::Buffer& id) const {
    const auto known = places_.find(id);
    return known == places_.end() ? Place::lost : known->second;
  }
  [[nodiscard]] std::size_t count(Place place) const {
    std::size_t found = 0;
    for (const auto& [id, where] : places_) found += where == place ? 1U : 0U;
    return found;
  }

  void fail(const std::string& why) {
    if (fault_.empty()) fault_ = why;
  }
  // What went wrong first; empty: nothing.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  std::map<dtls::Buffer, Place> places_;
  std::string fault_;
};

}  // namespace sluice::test
